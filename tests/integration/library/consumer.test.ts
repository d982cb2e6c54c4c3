/** The library as another project meets it: its types and its faces, from this tree and out of the packed tarball. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { consumerIn, packedIn } from "../../helpers/consumer.js";
import { REPOSITORY } from "../../helpers/host.js";

const NODE = join(REPOSITORY, "node_modules/.bin/node");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-consumer-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function typeCheck(project: string): string {
  const tsc = join(REPOSITORY, "node_modules/.bin/tsc");
  const { stdout, stderr } = spawnSync(tsc, ["-p", project], { encoding: "utf8" });
  return `${stdout}${stderr}`;
}

describe("a consumer", () => {
  test("type-checks, declarations of the package included, and runs: from the tree", () => {
    const project = consumerIn(join(folder, "tree"), REPOSITORY);
    expect(typeCheck(project)).toBe("");
    expect(execFileSync(NODE, [join(project, "plan.ts")], { encoding: "utf8" })).toBe(
      [
        "#1 create network default: does not exist",
        "#2 create container db-1: does not exist (after #1)",
        "#3 create container web-1: does not exist (after #1)",
        "#4 start container db-1: just created (after #2 #3)",
        "#5 start container web-1: just created (after #3 #4)",
        'TSC_COMPOSE_SCHEMA at line 3: did you mean "image"?',
        "",
      ].join("\n"),
    );
  });

  test("the same out of the tarball that npm pack makes", () => {
    const packed = packedIn(join(folder, "packed"));
    expect(existsSync(join(packed, "native/build/tscompose-launcher"))).toBe(true);
    const project = consumerIn(join(folder, "tarball"), packed);
    expect(typeCheck(project)).toBe("");
    expect(execFileSync(NODE, [join(project, "plan.ts")], { encoding: "utf8" })).toContain("start container web-1");
    const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));
    // a Node of the consumer's own, not the one in this repository
    const env = { ...process.env, PATH: `${join(REPOSITORY, "node_modules/node/bin")}:${process.env["PATH"]}` };
    const said = execFileSync(join(packed, "bin/tscompose"), ["version", "--short"], { encoding: "utf8", env });
    expect(said.trim()).toBe(version);
  });
});
