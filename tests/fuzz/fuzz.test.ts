/**
 * Every fuzz target for a bounded number of executions of a fixed seed: no crash, no hang, no sanitizer's report, no stack trace of
 * strangers, nothing outside the target folder, bounded memory. `npm run fuzz` plays longer.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { FUZZ_TARGETS, playTarget } from "./play.js";
import { TARGETS } from "./targets/index.js";

/** tsc-unpack enters its target with chroot. */
const isRoot = process.getuid?.() === 0;

beforeAll(() => {
  execFileSync("make", ["-s", "-C", resolve("native"), "sanitize"], { stdio: ["ignore", "ignore", "inherit"] });
}, 300_000);

describe("fuzz targets", () => {
  for (const target of FUZZ_TARGETS) {
    const check = target.name === "unpack" && !isRoot ? test.skip : test;
    check(
      `${target.name}: ${target.executions} executions`,
      async () => {
        const { finding } = await playTarget(target, target.executions, 1);
        expect(finding).toBeUndefined();
      },
      300_000,
    );
  }

  test("every target is listed, and has a corpus", () => {
    const listed = FUZZ_TARGETS.filter(({ native }) => native !== true).map(({ name }) => name);
    expect(listed.sort()).toEqual(Object.keys(TARGETS).sort());
    const folders = readdirSync(join(import.meta.dirname, "corpus")).sort();
    expect(folders).toEqual([...new Set(FUZZ_TARGETS.map(({ name, corpus }) => corpus ?? name))].sort());
  });

  test("a driver that finds something says so and keeps the input", async () => {
    const { finding } = await playTarget({ name: "no-such-target", corpus: "names", executions: 1 }, 1, 1);
    expect(finding?.said).toContain("no fuzz target no-such-target");
  });
});
