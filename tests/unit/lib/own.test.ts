/** Words from outside that every object knows are no entries of our tables; found by the fuzzer in platforms. */
import { expect, test } from "@jest/globals";
import { parseDockerfile } from "../../../src/engine/builder/dockerfile/parse.js";
import { parsePlatform } from "../../../src/engine/images/platform.js";
import { installHint } from "../../../src/engine/network/programs.js";
import { parseDevice } from "../../../src/engine/volumes/device.js";
import { own } from "../../../src/lib/own.js";

test.each(["constructor", "toString", "__proto__", "hasOwnProperty"])("%s is a word like others", (word) => {
  const table: Readonly<Record<string, number>> = { a: 1 };
  expect(own(table, word)).toBeUndefined();
  expect(installHint(word)).toBe("apt-get install containernetworking-plugins");
});

test("an architecture, a build flag and a mount option of that name", () => {
  expect(parsePlatform("linux/constructor")).toEqual({ os: "linux", architecture: "constructor", variant: "" });
  expect(() => parseDockerfile("FROM a\nRUN --constructor=x y\n", "Dockerfile")).toThrow("unknown flag --constructor");
  expect(() => parseDockerfile("FROM a\nRUN --mount=type=bind,target=/t,constructor=x y\n", "Dockerfile")).toThrow(
    "unexpected key 'constructor'",
  );
  const options = { type: "tmpfs", device: "t", o: "constructor" };
  expect(parseDevice("v", options, false)?.data).toBe("constructor");
});
