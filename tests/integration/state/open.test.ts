import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-state-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const source = pathToFileURL(resolve("src/engine/state/index.ts")).href;
const run = (script: string) =>
  promisify(execFile)(process.execPath, [
    "--import",
    resolve("tests/resolve-ts.js"),
    "--no-warnings",
    "--input-type=module",
    "--eval",
    `import { openState } from ${JSON.stringify(source)};\n${script}`,
  ]);

test("commands that open a new store at once, and leave it at once, all get it", async () => {
  const opener = `
    const start = ${Date.now() + 1500};
    for (let i = 0; i < 100; i++) {
      while (Date.now() < start + 20 * i);
      const state = openState(${JSON.stringify(folder)} + "/" + (i >> 1) + "/state.db");
      state.run("INSERT INTO volumes(name, info, anonymous, created_at) VALUES(?, '', 0, '')", process.pid + "-" + i);
      state[Symbol.dispose]();
    }`;
  await Promise.all([1, 2, 3, 4].map(() => run(opener)));
  for (const store of [0, 25, 49]) {
    using db = new DatabaseSync(join(folder, String(store), "state.db"));
    expect(db.prepare("SELECT count(*) AS n FROM volumes").get()).toEqual({ n: 8 });
  }
}, 30_000);

test("a database that is kept locked is called busy, not damaged", async () => {
  const path = join(folder, "state.db");
  using db = new DatabaseSync(path);
  db.exec("BEGIN EXCLUSIVE");
  const tried = run(`openState(${JSON.stringify(path)})`);
  await expect(tried).rejects.toMatchObject({ stderr: expect.stringContaining("TSC_STATE_BUSY") });
}, 40_000);
