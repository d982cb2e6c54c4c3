/** The real file port: what has no end is refused. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { nodeFs } from "../../../src/compose/node-fs.js";

test("devices without an end are refused, empty ones are empty, missing files are undefined", () => {
  expect(() => nodeFs.readFile("/dev/zero")).toThrow("/dev/zero is larger than 64 MiB");
  expect(nodeFs.readFile("/dev/null")).toBe("");
  expect(nodeFs.readFile("/nope/compose.yaml")).toBeUndefined();
});

test("a fifo with nobody behind it is refused instead of waited for", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsc-fifo-"));
  try {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(() => nodeFs.readFile(join(folder, "pipe"))).toThrow("it is a fifo");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
