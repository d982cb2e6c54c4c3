/** The real file port: what has no end is refused. */
import { expect, test } from "@jest/globals";
import { nodeFs } from "../../../src/compose/node-fs.js";

test("devices without an end are refused, empty ones are empty, missing files are undefined", () => {
  expect(() => nodeFs.readFile("/dev/zero")).toThrow("/dev/zero is larger than 64 MiB");
  expect(nodeFs.readFile("/dev/null")).toBe("");
  expect(nodeFs.readFile("/nope/compose.yaml")).toBeUndefined();
});
