import { appendFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { LineJoiner } from "../../../../src/engine/logs/format.js";
import { beginRun, type ReadLogOptions, readLog } from "../../../../src/engine/logs/index.js";
import type { LogLine } from "../../../../src/engine/types.js";

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-logs-"));
  log = join(folder, "container.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (second: number, text: string, tag = "F", stream = "stdout"): string =>
  `2026-01-01T00:${String(Math.floor(second / 60)).padStart(2, "0")}:${String(second % 60).padStart(2, "0")}.000000000+00:00 ${stream} ${tag} ${text}\n`;

async function texts(options: ReadLogOptions = {}): Promise<string[]> {
  const result: string[] = [];
  for await (const { text, partial } of readLog(log, options)) result.push(partial ? `${text}…` : text);
  return result;
}

/** Collects until `count` lines came, then ends the follower. */
async function follow(count: number, options: ReadLogOptions, act: (seen: LogLine[]) => void): Promise<LogLine[]> {
  const seen: LogLine[] = [];
  const abort = new AbortController();
  act(seen);
  for await (const entry of readLog(log, { ...options, follow: true, signal: abort.signal })) {
    seen.push(entry);
    act(seen);
    if (seen.length === count) abort.abort();
  }
  return seen;
}

describe("readLog", () => {
  test("a missing log has no lines", async () => {
    expect(await texts()).toEqual([]);
  });

  test("joins the pieces of a line per stream, and shows an unended last line", async () => {
    writeFileSync(
      log,
      line(0, "a", "P") +
        line(1, "x", "P", "stderr") +
        line(2, "b") +
        line(3, "y", "F", "stderr") +
        line(4, "rest", "P"),
    );
    expect(await texts()).toEqual(["ab", "xy", "rest…"]);
    expect(await texts({ tail: 2 })).toEqual(["xy", "rest…"]);
  });

  test("a line left open by one run is not continued by the next", async () => {
    beginRun(log);
    appendFileSync(log, line(0, "first") + line(1, "open", "P") + line(1, "torn").slice(0, -1));
    beginRun(log);
    appendFileSync(log, line(2, "again") + line(3, "open", "P") + line(3, "error", "P", "stderr"));
    beginRun(log);
    appendFileSync(log, line(4, "third"));
    expect(await texts()).toEqual(["first", "opentorn", "again", "open", "error", "third"]);
    expect(await texts({ tail: 2 })).toEqual(["error", "third"]);
    expect(await texts({ since: "2026-01-01T00:00:02Z" })).toEqual(["again", "open", "error", "third"]);
  });

  test("a line that was shown open is ended by the next run", async () => {
    beginRun(log);
    appendFileSync(log, line(0, "prompt", "P"));
    const seen = await follow(3, {}, (lines) => {
      if (lines.length !== 1) return;
      beginRun(log);
      appendFileSync(log, line(2, "next"));
    });
    expect(seen.map(({ text, partial }) => [text, partial])).toEqual([
      ["prompt", true],
      ["", false],
      ["next", false],
    ]);
  });

  test("skips what is not a log line", async () => {
    writeFileSync(log, `${line(0, "a")}rubbish\n\0\0\n${line(1, "b")}`);
    expect(await texts()).toEqual(["a", "b"]);
  });

  test("the last lines, also of a big file, and none", async () => {
    writeFileSync(log, Array.from({ length: 20_000 }, (_, i) => line(i % 3000, `line ${i}`)).join(""));
    expect(await texts({ tail: 3 })).toEqual(["line 19997", "line 19998", "line 19999"]);
    expect(await texts({ tail: 0 })).toEqual([]);
    expect(await texts({ tail: 100_000 })).toHaveLength(20_000);
  });

  test("the last lines reach into rotated files", async () => {
    writeFileSync(`${log}.9`, line(0, "oldest"));
    writeFileSync(`${log}.10.gz`, gzipSync(line(1, "older") + line(2, "open ", "P")));
    writeFileSync(`${log}.11`, line(2, "end") + line(3, "old"));
    writeFileSync(log, line(4, "new"));
    expect(await texts()).toEqual(["oldest", "older", "open end", "old", "new"]);
    for (const [tail, last] of [
      [2, ["old", "new"]],
      [3, ["open end", "old", "new"]],
      [4, ["older", "open end", "old", "new"]],
      [9, ["oldest", "older", "open end", "old", "new"]],
    ] as const)
      expect(await texts({ tail })).toEqual(last);
    expect(await texts({ since: "2026-01-01T00:00:01Z" })).toEqual(["older", "open end", "old", "new"]);
    expect(await texts({ since: "2026-01-01T00:00:02Z", until: "2026-01-01T00:00:03Z" })).toEqual(["open end", "old"]);
    // what was packed is as old as its file says, and need not be read
    writeFileSync(`${log}.10.gz`, "no gzip");
    utimesSync(`${log}.10.gz`, new Date("2026-01-01T00:00:01Z"), new Date("2026-01-01T00:00:01Z"));
    expect(await texts({ since: "2026-01-01T00:00:03Z" })).toEqual(["old", "new"]);
    await expect(texts()).rejects.toMatchObject({ code: "TSC_LOG_DAMAGED" });
  });

  test("a run that begins in a new file does not continue what the old one left open", async () => {
    writeFileSync(`${log}.1`, line(0, "open", "P"));
    beginRun(log);
    appendFileSync(log, line(1, "next"));
    expect(await texts()).toEqual(["open", "next"]);
  });

  test("following reads every file that came meanwhile, packed or not, once; what has gone is told", async () => {
    writeFileSync(log, line(0, "1"));
    const held: number[] = [];
    const lost: number[] = [];
    const steps: Record<number, () => void> = {
      1: () => {
        renameSync(log, `${log}.1`);
        appendFileSync(`${log}.1`, line(1, "2"));
        writeFileSync(`${log}.2.gz`, gzipSync(line(2, "3") + line(3, "4 ", "P")));
        writeFileSync(`${log}.3`, line(3, "of two") + line(4, "5"));
        writeFileSync(log, line(5, "6"));
      },
      6: () => {
        renameSync(log, `${log}.4`);
        writeFileSync(`${log}.7`, line(6, "7"));
        writeFileSync(log, "");
      },
      7: () => appendFileSync(log, line(7, "8")),
    };
    const options = {
      hold: (descriptor: number) => held.push(descriptor) > 0,
      onLost: (files: number) => lost.push(files),
    };
    const seen = await follow(8, options, (lines) => steps[lines.length]?.());
    expect(seen.map(({ text }) => text)).toEqual(["1", "2", "3", "4 of two", "5", "6", "7", "8"]);
    expect(lost).toEqual([2]);
    expect(held.length).toBeGreaterThanOrEqual(6);
  });

  test("a line written byte by byte is whole, and keeps no object for each byte", async () => {
    const letters = Array.from({ length: 50_000 }, (_, index) => String.fromCharCode(97 + (index % 26)));
    writeFileSync(log, `${letters.map((letter) => line(0, letter, "P")).join("")}${line(0, "!")}`);
    expect(await texts()).toEqual([`${letters.join("")}!`]);
    const joiner = new LineJoiner();
    const piece = Buffer.from(line(0, "x", "P").trimEnd());
    for (let index = 0; index < 50_000; index++) joiner.feed(piece);
    expect(joiner.pieces).toBeLessThanOrEqual(4096);
  });

  test("since and until", async () => {
    writeFileSync(log, Array.from({ length: 3000 }, (_, i) => line(i, `${i} ${"x".repeat(500)}`)).join(""));
    const lines = await texts({ since: "2026-01-01T00:48:20Z", until: "2026-01-01T00:48:22Z" });
    expect(lines.map((text) => text.split(" ")[0])).toEqual(["2900", "2901", "2902"]);
    await expect(texts({ since: "whenever" })).rejects.toMatchObject({ code: "TSC_TIME_INVALID" });
  });

  test("following sees writes, rotation by renaming and truncation", async () => {
    writeFileSync(log, line(0, "a"));
    const steps: Record<number, () => void> = {
      1: () => appendFileSync(log, line(1, "b")),
      2: () => {
        appendFileSync(log, line(2, "c"));
        renameSync(log, `${log}.1`);
        writeFileSync(log, line(3, "d, longer than what follows"));
      },
      4: () => writeFileSync(log, line(4, "e")),
    };
    const seen = await follow(5, {}, (lines) => steps[lines.length]?.());
    expect(seen.map(({ text }) => text)).toEqual(["a", "b", "c", "d, longer than what follows", "e"]);
  });

  test("following shows an unended line after a while, and its rest", async () => {
    writeFileSync(log, line(0, "prompt> ", "P"));
    const seen = await follow(2, {}, (lines) => {
      if (lines.length === 1) appendFileSync(log, line(1, "answer"));
    });
    expect(seen.map(({ text, partial }) => [text, partial])).toEqual([
      ["prompt> ", true],
      ["answer", false],
    ]);
  });

  test("following ends when the container has ended and all was read", async () => {
    writeFileSync(log, line(0, "a"));
    let finish: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    setTimeout(() => {
      appendFileSync(log, line(1, "last"));
      finish();
    }, 20);
    expect(await texts({ follow: true, finished })).toEqual(["a", "last"]);
  });
});
