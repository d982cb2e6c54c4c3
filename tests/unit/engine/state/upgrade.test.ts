/** A database of version 2 becomes one of today's, also when the first try was interrupted. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { keptContent, keptEnv } from "../../../../src/engine/secrets/index.js";
import { containerById, ownedContainers } from "../../../../src/engine/state/containers.js";
import { openState } from "../../../../src/engine/state/index.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-upgrade-"));
  path = join(folder, "state.db");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Old {
  readonly labels: Record<string, string>;
  readonly image?: Record<string, string>;
  readonly own?: Record<string, string>;
}

/** Rows as version 2 wrote them. */
function makeOld(containers: Readonly<Record<string, Old>>): void {
  openState(path)[Symbol.dispose]();
  using db = new DatabaseSync(path);
  for (const [id, { labels, image = {}, own = {} }] of Object.entries(containers)) {
    const spec = {
      name: id,
      image: "x",
      env: { TOKEN: "canary-env" },
      files: [
        { target: "/host", sourcePath: "/etc/hostname" },
        { target: "/inline", content: "canary-content" },
      ],
      labels: own,
    };
    db.prepare(
      `INSERT INTO containers(id, name, spec, image_id, image_name, record, state, boot_id, created_at)
       VALUES (?, ?, ?, '', 'x', ?, 'exited', '', '')`,
    ).run(id, id, JSON.stringify(spec), JSON.stringify({ image: { labels: image }, mounts: [] }));
    for (const [key, value] of Object.entries(labels)) {
      db.prepare("INSERT INTO container_labels(container_id, key, value) VALUES (?, ?, ?)").run(id, key, value);
    }
  }
  db.exec(`ALTER TABLE containers DROP COLUMN owner; ALTER TABLE containers DROP COLUMN owner_kind;
           PRAGMA user_version = 2`);
}

test("environment and content move into private files; their bytes are in the database no more", () => {
  makeOld({ a: { labels: {} } });
  expect(readFileSync(path).includes("canary")).toBe(true);
  using state = openState(path);
  const row = containerById(state, "a");
  expect(row?.spec).toMatchObject({
    keepsEnv: true,
    files: [
      { target: "/host", sourcePath: "/etc/hostname" },
      { target: "/inline", held: { container: "a", index: 1 } },
    ],
  });
  const kept = join(folder, "containers/a");
  expect(keptEnv(kept, { keepsEnv: true })).toEqual({ env: { TOKEN: "canary-env" } });
  expect(keptContent(kept, 1, "/inline").toString()).toBe("canary-content");
  expect(statSync(join(kept, "private/env.json")).mode & 0o777).toBe(0o600);
  for (const name of ["state.db", "state.db-wal"]) {
    expect([name, readFileSync(join(folder, name)).includes("canary")]).toEqual([name, false]);
  }
});

test("an upgrade that was interrupted before the file was written anew is finished, and nothing is lost", () => {
  makeOld({ a: { labels: {} } });
  openState(path)[Symbol.dispose]();
  {
    using db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 2");
  }
  using state = openState(path);
  expect(containerById(state, "a")?.spec.keepsEnv).toBe(true);
  const kept = join(folder, "containers/a");
  expect(keptEnv(kept, { keepsEnv: true })).toEqual({ env: { TOKEN: "canary-env" } });
  expect(keptContent(kept, 1, "/inline").toString()).toBe("canary-content");
  expect(state.get("PRAGMA user_version")).toEqual({ user_version: 3 });
});

test("owners are taken from labels of the engine, not from those that the image carries, and no label steers any more", () => {
  const remover = { "com.tscompose.remover": "2-1-abc" };
  const claim = { "com.docker.compose.project": "victim" };
  makeOld({
    ours: { labels: remover },
    step: { labels: { "com.tscompose.build": "build-2-1-abc" }, own: { "com.tscompose.build": "build-2-1-abc" } },
    forged: { labels: { ...remover, ...claim, a: "b" }, image: { ...remover, ...claim, a: "b" } },
  });
  using state = openState(path);
  expect(ownedContainers(state).map(({ id, owner }) => [id, owner.kind, owner.name])).toEqual([
    ["ours", "command", "2-1-abc"],
    ["step", "build", "build-2-1-abc"],
  ]);
  expect(state.all("SELECT key, value FROM container_labels WHERE container_id = 'forged'")).toEqual([
    { key: "a", value: "b" },
  ]);
});
