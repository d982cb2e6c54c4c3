import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openScratch } from "../../../../src/engine/storage/scratch.js";
import type { Kernel, ProcessIdentity } from "../../../../src/kernel/kernel.js";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tsc-scratch-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Only what scratch space asks of a kernel. */
function kernelWhere(isAlive: (process: ProcessIdentity) => boolean): Kernel {
  const part: Pick<Kernel, "processIdentity" | "isAlive" | "removeTree" | "isMountPoint"> = {
    processIdentity: (pid) => ({ pid, startTime: "77" }),
    isAlive,
    isMountPoint: () => false,
    async removeTree(path) {
      rmSync(path, { recursive: true, force: true });
    },
  };
  return part as Kernel;
}

test("places carry their owner and go when disposed", async () => {
  const scratch = openScratch(
    kernelWhere(() => true),
    join(root, "tmp"),
  );
  {
    await using place = scratch.folder();
    expect(place.path).toMatch(new RegExp(`/tmp/${process.pid}-77-[0-9a-f]{16}$`));
    expect(existsSync(place.path)).toBe(true);
    await using other = scratch.file();
    expect(other.path).not.toBe(place.path);
    expect(existsSync(other.path)).toBe(false);
  }
  expect(readdirSync(join(root, "tmp"))).toEqual([]);
});

test("only places of dead owners are removed; a reused pid is another owner", async () => {
  const scratch = openScratch(
    kernelWhere(({ pid, startTime }) => pid === 10 && startTime === "5"),
    root,
  );
  for (const name of ["10-5-aa", "10-4-bb", "11-5-cc", "notes", "10-5-../x".replace("/", "_")])
    mkdirSync(join(root, name));
  writeFileSync(join(root, "12-5-dd"), "a file");
  const mine = scratch.folder();
  await scratch.removeStale();
  expect(readdirSync(root).sort()).toEqual(["10-5-.._x", "10-5-aa", "notes", mine.path.slice(root.length + 1)].sort());
});

test("no folder is no error", async () => {
  await openScratch(
    kernelWhere(() => false),
    join(root, "absent"),
  ).removeStale();
  expect(existsSync(join(root, "absent"))).toBe(false);
});
