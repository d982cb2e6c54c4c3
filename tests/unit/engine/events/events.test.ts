import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Events, openEvents } from "../../../../src/engine/events/index.js";
import { EVENT_HISTORY } from "../../../../src/engine/state/events.js";
import { openState, type State } from "../../../../src/engine/state/index.js";

let folder: string;
let state: State;
let events: Events;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-events-"));
  state = openState(join(folder, "state.db"));
  events = openEvents(state, { database: join(folder, "state.db"), warn: () => {} });
});
afterEach(() => {
  state[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const emit = (action: string, attributes: Record<string, string> = {}): void =>
  events.emit({ type: "container", action, id: "i", name: "n", attributes });

describe("events", () => {
  test("stored ones by time and label", async () => {
    emit("create", { "com.docker.compose.project": "p" });
    emit("start");
    const seen: string[] = [];
    for await (const event of events.stream({ since: "1h", until: "0s" })) seen.push(event.action);
    expect(seen).toEqual(["create", "start"]);
    const labelled: string[] = [];
    const labels = { "com.docker.compose.project": "p" };
    for await (const event of events.stream({ since: "1h", follow: false, labels })) labelled.push(event.action);
    expect(labelled).toEqual(["create"]);
  });

  test("live ones of this process, from now on", async () => {
    emit("old");
    const abort = new AbortController();
    setTimeout(() => emit("new"), 20);
    const seen: string[] = [];
    for await (const event of events.stream({ signal: abort.signal })) {
      seen.push(event.action);
      abort.abort();
    }
    expect(seen).toEqual(["new"]);
  });

  test("live ones of another process", async () => {
    const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
      db.exec("INSERT INTO events(time_nano, type, action, subject_id, name) VALUES('${BigInt(Date.now()) * 1_000_000n}','volume','create','v','v')");`;
    // asked for before the other process begins: on a busy machine it may be done before this one goes on
    const stream = events.stream()[Symbol.asyncIterator]();
    const first = stream.next();
    const child = spawn(process.execPath, ["-e", script, join(folder, "state.db")]);
    const exited = new Promise((resolve) => child.on("exit", resolve));
    expect((await first).value).toMatchObject({ type: "volume", action: "create" });
    await stream.return?.();
    expect(await exited).toBe(0);
  });

  test("an until in the future ends the stream", async () => {
    const until = new Date(Date.now() + 50).toISOString();
    const seen: string[] = [];
    for await (const event of events.stream({ until })) seen.push(event.type);
    expect(seen).toEqual([]);
  });

  test("history is bounded", () => {
    state.transaction(() => {
      for (let i = 0; i < EVENT_HISTORY + 1000; i++) emit("x");
    });
    expect(state.get<{ n: number }>("SELECT count(*) AS n FROM events")?.n).toBeLessThanOrEqual(EVENT_HISTORY + 500);
  });
});
