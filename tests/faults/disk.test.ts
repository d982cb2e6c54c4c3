/** No room, no store, no sense in it: full disks, read-only disks and damaged state files. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { isRoot, onHost, type TestHost, testUser } from "../helpers/host.js";
import { type Registry, startRegistry } from "../helpers/registry.js";
import { putImage, tarOf } from "../integration/images/fixtures.js";
import { check, modes, unfinished } from "./support.js";

const small = busyboxRegistry();
let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  const noise = (seed: number) => Buffer.from(Array.from({ length: 4 << 20 }, (_, i) => (i * seed) & 255));
  await putImage(registry.address, "big", "1", {
    layers: [
      { tar: tarOf({ one: noise(7) }) },
      { tar: tarOf({ two: noise(11) }) },
      { tar: tarOf({ three: noise(13) }) },
    ],
  });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

/** The host's store on a file system of `size`, until the body has run. */
async function onSmallDisk(host: TestHost, size: string, body: (store: string) => Promise<void>): Promise<void> {
  const store = join(host.folder, "store");
  mkdirSync(store);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=755`, "none", store]);
  if (host.mode === "user") chownSync(store, testUser().uid, testUser().gid);
  try {
    await body(store);
    await host.downAll();
    await host.endNamespaces();
  } finally {
    execFileSync("umount", ["-l", store]);
  }
}
const grow = (store: string, size: string) => execFileSync("mount", ["-o", `remount,size=${size}`, store]);
const freeBytes = (store: string): number => {
  const { bavail, bsize } = statfsSync(store);
  return bavail * bsize;
};
/** Takes the last block. */
function fill(store: string): () => void {
  const file = join(store, "filler");
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${file}`, "bs=64k"], { stdio: "ignore" });
  } catch {
    // it ends when the disk is full: what it is for
  }
  return () => rmSync(file);
}
const oneError = (stderr: string) => ({
  errors: stderr.match(/error\[TSC_[A-Z_]+\]/g)?.length,
  tells: /no space left|disk is full|ENOSPC|out of space/i.test(stderr),
  internal: /TSC_INTERNAL|\n\s+at /.test(stderr),
});
const honest = { errors: 1, tells: true, internal: false };

describe.each(modes)("a full disk, %s", (mode) => {
  check(
    "pull: one error, the room is given back, and it works with more",
    onHost(mode, (host) =>
      onSmallDisk(host, "7m", async (store) => {
        const folder = host.project("pulling", {
          "compose.yaml": `services: { a: { image: "${registry.address}/big:1" } }`,
        });
        await host.run(folder, ["image", "ls"]);
        const before = freeBytes(store);
        const failed = await host.run(folder, ["pull"]);
        expect(failed.code).not.toBe(0);
        if (!oneError(failed.stderr).tells) throw new Error(failed.stderr);
        expect(oneError(failed.stderr)).toEqual(honest);
        expect(await host.must(folder, "image", "ls", "-q")).toBe("");
        expect(unfinished(host)).toEqual([]);
        // layers that were whole may stay for the next attempt; at least what was half done is given back
        expect(before - freeBytes(store)).toBeLessThan(6 << 20);
        grow(store, "64m");
        await host.must(folder, "pull");
        expect((await host.must(folder, "image", "ls", "-q")).trim().split("\n")).toHaveLength(1);
      }),
    ),
    60_000,
  );

  (mode === "root" ? check : test.skip)(
    "build: one error, running services go on and can be taken down, and it works with more",
    onHost(mode, (host) =>
      onSmallDisk(host, "24m", async (store) => {
        const folder = host.project("starting", {
          "compose.yaml": `
services:
  first: { image: "${small.image}", command: sleep 1000, init: true, stop_grace_period: 0s }
  second: { profiles: [more], image: "${small.image}", command: sleep 1000, init: true, stop_grace_period: 0s }
  third: { profiles: [build], build: ., image: third }
`,
          Dockerfile: `FROM ${small.image}\nCOPY big /big\nRUN dd if=/dev/zero of=/bigger bs=1M count=2\n`,
          big: "x".repeat(3 << 20),
        });
        await host.must(folder, "up", "-d");
        const release = fill(store);
        const built = await host.run(folder, ["build", "third"]);
        expect(built.code).not.toBe(0);
        expect({ ...oneError(built.stderr), stderr: built.stderr.slice(-1500) }).toMatchObject(honest);
        // reading and stopping need no room
        expect(await host.must(folder, "ps", "--services")).toContain("first");
        expect(await host.must(folder, "exec", "-T", "first", "echo", "alive")).toBe("alive\n");
        release();
        grow(store, "96m");
        await host.must(folder, "--profile", "more", "up", "-d");
        await host.must(folder, "build", "third");
        expect((await host.must(folder, "--profile", "*", "ps", "-q")).trim().split("\n")).toHaveLength(2);
        const again = fill(store);
        // a disk must be emptiable by taking things down
        await host.must(folder, "--profile", "*", "down", "-t", "0");
        again();
        expect((await host.leaks()).lines.filter((line) => !line.startsWith(`mount ${store} `))).toEqual([]);
      }),
    ),
    90_000,
  );
});

check(
  "a read-only store: what only looks still works, what changes says why",
  onHost("root", async (host) => {
    const folder = host.project("readonly", {
      "compose.yaml": `services: { a: { image: "${small.image}", command: sleep 1000, init: true, stop_grace_period: 0s } }`,
    });
    await host.must(folder, "up", "-d");
    const store = join(host.folder, "store");
    execFileSync("mount", ["--bind", store, store]);
    execFileSync("mount", ["-o", "remount,bind,ro", store]);
    try {
      expect(await host.must(folder, "config", "--services")).toBe("a\n");
      const failed = await host.run(folder, ["up", "-d", "--force-recreate"]);
      expect(failed.code).not.toBe(0);
      expect(failed.stderr).toMatch(/error\[TSC_(?!INTERNAL)/);
      expect(failed.stderr).toMatch(/read-?only/i);
    } finally {
      execFileSync("umount", ["-l", store]);
    }
    await host.must(folder, "down", "-t", "0");
  }),
  60_000,
);

describe("a damaged state database", () => {
  const damages: readonly [string, (data: Buffer) => Buffer][] = [
    ["rubbish", () => Buffer.from("this is no database".repeat(1000))],
    ["the first page zeroed", (data) => Buffer.concat([Buffer.alloc(4096), data.subarray(4096)])],
    [
      "pages in the middle turned over",
      (data) => Buffer.from(data.map((byte, index) => (index > 4096 ? byte ^ 0xff : byte))),
    ],
    ["cut in half", (data) => data.subarray(0, (data.length >> 1) & ~4095)],
  ];
  check(
    "is told with its path and a way out, and nothing is written to it",
    onHost("root", async (host) => {
      const folder = host.project("damaged", {
        "compose.yaml": `services: { a: { image: "${small.image}", command: sleep 1000, init: true, stop_grace_period: 0s } }`,
      });
      await host.must(folder, "up", "-d");
      const path = join(host.folder, "store/state.db");
      execFileSync("cp", ["-a", join(host.folder, "store"), join(host.folder, "kept")]);
      const whole = readFileSync(path);
      for (const [name, damage] of damages) {
        for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
        writeFileSync(path, damage(whole));
        for (const args of [["ps"], ["up", "-d"], ["down"]]) {
          const result = await host.run(folder, args);
          const seen = {
            name,
            args,
            failed: result.code !== 0,
            codes: [...new Set(result.stderr.match(/error\[TSC_[A-Z_]+\]/g))],
            path: result.stderr.includes(path),
            hint: result.stderr.includes("hint"),
          };
          expect({ ...seen, stderr: result.stderr.slice(-300) }).toMatchObject({
            failed: true,
            codes: ["error[TSC_STATE_CORRUPT]"],
            path: true,
            hint: true,
          });
        }
      }
      // the backup is as good as before
      for (const name of readdirSync(join(host.folder, "store")))
        if (name.startsWith("state.db")) rmSync(join(host.folder, "store", name));
      for (const name of readdirSync(join(host.folder, "kept")))
        if (name.startsWith("state.db"))
          execFileSync("cp", ["-a", join(host.folder, "kept", name), join(host.folder, "store", name)]);
      expect((await host.must(folder, "ps", "-q")).trim()).not.toBe("");
      await host.must(folder, "down", "-t", "0");
    }),
    60_000,
  );

  check(
    "an empty one is a fresh start: what still runs is found and can be taken down",
    onHost("root", async (host) => {
      const folder = host.project("fresh", { "compose.yaml": "services: { a: { image: x } }" });
      await host.run(folder, ["ps"]);
      const path = join(host.folder, "store/state.db");
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      writeFileSync(path, "");
      expect(await host.must(folder, "ps", "-aq")).toBe("");
      expect(existsSync(path)).toBe(true);
    }),
    30_000,
  );
});
