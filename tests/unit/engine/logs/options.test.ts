import { describe, expect, test } from "@jest/globals";
import { checkLogging, rotationOf } from "../../../../src/engine/logs/options.js";

const said = (driver: string, options: Record<string, string>): string => {
  try {
    return checkLogging("c", { driver, options }).join();
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};

describe("options of a log", () => {
  test.each([
    ["json-file", { "max-size": "1500" }, { maxBytes: 1500, maxFiles: 1, compress: false }],
    ["", { "max-size": "10k", "max-file": "3" }, { maxBytes: 10_000, maxFiles: 3, compress: false }],
    [
      "json-file",
      { "max-size": "1.5m", "max-file": "2", compress: "1" },
      { maxBytes: 1_500_000, maxFiles: 2, compress: true },
    ],
    ["json-file", { "max-file": "3" }, undefined],
    ["json-file", {}, undefined],
    ["local", {}, { maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true }],
    [
      "local",
      { "max-size": "1g", compress: "false", "max-file": "1" },
      { maxBytes: 1e9, maxFiles: 1, compress: false },
    ],
    ["none", { "max-size": "1k" }, undefined],
  ])("%s %j: %j", (driver, options, rotation) => {
    expect(said(driver, options)).toBe("");
    expect(rotationOf({ driver, options })).toEqual(rotation);
  });

  test.each([
    ["json-file", { size: "1k" }, "unknown log opt 'size' for json-file log driver"],
    ["", { "max-sise": "1k" }, "unknown log opt 'max-sise' for json-file log driver"],
    ["local", { size: "1k" }, "unknown log opt 'size' for log driver local"],
    ["json-file", { "max-size": "big" }, "invalid size: 'big'"],
    ["json-file", { "max-size": "-1" }, "invalid size: '-1'"],
    ["json-file", { "max-size": "1x" }, "invalid suffix: 'x'"],
    ["local", { "max-size": "big" }, "invalid value for max-size: big: invalid size: 'big'"],
    ["json-file", { "max-size": "0" }, "max-size must be a positive number"],
    ["json-file", { "max-file": "0" }, "max-file cannot be less than 1"],
    ["json-file", { "max-file": "-1" }, "max-file cannot be less than 1"],
    ["json-file", { "max-file": "two" }, 'strconv.Atoi: parsing "two": invalid syntax'],
    ["local", { "max-file": "1" }, "compression cannot be enabled when max file count is 1"],
    ["json-file", { compress: "maybe" }, 'strconv.ParseBool: parsing "maybe": invalid syntax'],
    [
      "json-file",
      { compress: "true", "max-size": "1k" },
      "compress cannot be true when max-file is less than 2 or max-size is not set",
    ],
    [
      "json-file",
      { compress: "true", "max-file": "2" },
      "compress cannot be true when max-file is less than 2 or max-size is not set",
    ],
    ["json-file", { mode: "fast" }, "logger: logging mode not supported: fast"],
    [
      "json-file",
      { "max-buffer-size": "1m" },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
  ])("%s %j is refused", (driver, options, words) => {
    expect(said(driver, options)).toBe(`container c: ${words}`);
    if (words.startsWith("unknown")) return;
    expect(rotationOf({ driver, options })).toBeUndefined();
  });

  test("what is taken without effect is told, and other drivers are named", () => {
    expect(said("json-file", { tag: "x", mode: "blocking", labels: "a" })).toBe("tag,labels");
    expect(said("fluentd", {})).toBe('container c: log driver "fluentd" is not available');
  });
});
