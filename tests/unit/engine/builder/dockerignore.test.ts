import { describe, expect, test } from "@jest/globals";
import { cleanPath, parseIgnore } from "../../../../src/engine/builder/dockerignore.js";

/** Cases after moby's patternmatcher tests. */
describe("parseIgnore", () => {
  test.each<[patterns: string, path: string, excluded: boolean]>([
    ["**", "file", true],
    ["**/", "file", true],
    ["**", "/dir/file".slice(1), true],
    ["**/file", "dir/dir/file", true],
    ["**/file", "file", true],
    ["dir/**", "dir/file", true],
    ["dir/**", "dir", false],
    ["dir/*", "dir/a/b", true],
    ["*.log", "a.log", true],
    ["*.log", "b/a.log", false],
    ["/foo", "foo", true],
    ["foo/", "foo/bar", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["a/b/../c", "a/c", true],
    ["*\n!keep", "keep", false],
    ["*\n!keep", "lose", true],
    ["dir\n!dir/keep\ndir/keep", "dir/keep", true],
    ["# dir", "dir", false],
    ["a?c", "a/c", false],
    ["**/*.go", "x/y.go", true],
    ["a**/*.txt", "a/file.txt", true],
  ])("%j on %s", (patterns, path, excluded) => {
    expect(parseIgnore(patterns).excludes(path)).toBe(excluded);
  });
  test("folders are entered only when an exception may lie below", () => {
    const matcher = parseIgnore("*\n!a/b/c\n!d/**/e");
    expect([matcher.mayHoldExceptions("a"), matcher.mayHoldExceptions("a/b"), matcher.mayHoldExceptions("x")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(matcher.mayHoldExceptions("d/any/thing")).toBe(true);
  });
  test("a malformed class is named", () => {
    expect(() => parseIgnore("[a")).toThrow("syntax error in pattern");
  });
});

test("cleanPath never leads out", () => {
  expect(["../../a", "/a//b/./c/..", ".", "a/../../b"].map(cleanPath)).toEqual(["a", "a/b", "", "b"]);
});

test("wildcards that no path could be matched against in time are refused", () => {
  const lines = Array.from({ length: 400 }, (_, i) => `${"*a".repeat(100)}${i}`).join("\n");
  expect(() => parseIgnore(lines)).toThrow("patterns with wildcards");
  expect(parseIgnore(lines.replaceAll("*", "x")).excludes("a")).toBe(false);
  // exponential for anything that tries again
  const bomb = parseIgnore(`${"**/**a".repeat(200)}b\n${"*a".repeat(400)}b`);
  expect(bomb.excludes(`${"a".repeat(250)}/${"a".repeat(250)}`)).toBe(false);
});
