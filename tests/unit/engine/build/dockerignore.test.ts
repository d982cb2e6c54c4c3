import { describe, expect, test } from "@jest/globals";
import { cleanPath, globToRegExp, parseIgnore } from "../../../../src/engine/build/dockerignore.js";

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

test("a class does not match a slash", () => {
  expect(globToRegExp("a[^b]c").test("a/c")).toBe(false);
});
