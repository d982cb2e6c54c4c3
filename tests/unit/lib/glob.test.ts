import { describe, expect, test } from "@jest/globals";
import { MAX_PATTERN_LENGTH, pathGlob, shellGlob } from "../../../src/lib/glob.js";

/** What the patterns mean, written as the regular expressions that moby makes of them; too slow for strangers, right for short texts. */
function reference(pattern: string): RegExp {
  let out = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? "";
    if (c === "*" && pattern[i + 1] === "*") {
      i++;
      if (pattern[i + 1] === "/") i++;
      out += i + 1 >= pattern.length ? ".*" : "(?:.*/)?";
    } else if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else out += c.replace(/[.+^$]/, "\\$&");
  }
  return new RegExp(`^${out}$`, "s");
}

function* words(alphabet: string, length: number): Generator<string> {
  yield "";
  if (length === 0) return;
  for (const head of alphabet) for (const tail of words(alphabet, length - 1)) yield head + tail;
}

describe("pathGlob", () => {
  test("agrees with the regular expression on every short pattern and path", () => {
    const paths = [...new Set(words("ab/", 5))];
    let checked = 0;
    for (const pattern of new Set(words("a*?/", 4))) {
      const glob = pathGlob(pattern);
      const regex = reference(pattern);
      for (const path of paths) {
        if (glob.matches(path) !== regex.test(path)) throw new Error(`${pattern} on ${path}: ${glob.matches(path)}`);
        const above = path.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"));
        const under = above.some((prefix) => prefix !== "" && regex.test(prefix)) || regex.test(path);
        if (path.startsWith("/") || pattern === "") continue;
        if (glob.matchesUnder(path) !== under) throw new Error(`${pattern} under ${path}: ${!under}`);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(20_000);
  });

  test.each([
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["a[^b]c", "a/c", false],
    ["[\\]x]", "]", true],
    ["[]a]", "]", true],
    ["a\\*b", "a*b", true],
    ["?", "🙂", true],
    ["[🙁-🙃]", "🙂", true],
  ])("%j on %j is %p", (pattern, path, fits) => {
    expect(pathGlob(pattern).matches(path)).toBe(fits);
  });

  test("malformed and endless patterns are refused", () => {
    expect(() => pathGlob("[a")).toThrow("syntax error in pattern");
    expect(() => pathGlob("[b-a]")).toThrow("syntax error in pattern");
    expect(() => pathGlob("*".repeat(MAX_PATTERN_LENGTH + 1))).toThrow("too long");
  });

  test("stars cost no more than pattern times text", () => {
    // with backtracking the first of these takes longer than the universe
    const text = "a".repeat(1000);
    expect(pathGlob(`${"*a".repeat(600)}b`).matches(text)).toBe(false);
    expect(pathGlob(`${"**/*a".repeat(200)}b`).matchesUnder("a/".repeat(500))).toBe(false);
    expect(pathGlob(`**${"a**".repeat(300)}b`).matches(text)).toBe(false);
  });
});

describe("shell patterns", () => {
  test.each([
    ["*.", "a.b.c", { shortest: 2, longest: 4 }],
    ["a/?", "a/bc", { shortest: 3, longest: 3 }],
    ["x", "abc", undefined],
    ["", "abc", { shortest: 0, longest: 0 }],
  ])("starts: %j of %j", (pattern, text, found) => {
    expect(shellGlob(pattern).prefix(text)).toEqual(found);
  });
  test.each([
    [".*", "foo.tar.gz", { shortest: 3, longest: 7 }],
    ["?🙂", "a🙂", { shortest: 3, longest: 3 }],
    ["x", "abc", undefined],
  ])("ends: %j of %j", (pattern, text, found) => {
    expect(shellGlob(pattern).suffix(text)).toEqual(found);
  });
  test.each([
    ["b*d", "abcdxbd", "a-", "a-"],
    ["b?", "abcbd", "a-bd", "a--"],
    ["aab", "aaabaab", "a-aab", "a--"],
    ["z", "abc", "abc", "abc"],
    ["", "ab", "-ab", "-a-b-"],
  ])("replaces %j in %j", (pattern, text, once, all) => {
    const glob = shellGlob(pattern);
    expect([glob.replace(text, "-", false, 99), glob.replace(text, "-", true, 99)]).toEqual([once, all]);
  });
  test("no text makes replacing slow or long", () => {
    const text = "a".repeat(20_000);
    expect(shellGlob(`${"*a".repeat(200)}b`).replace(text, "x", true, 1e9)).toBe(text);
    expect(shellGlob("a").replace(text, "x".repeat(1000), true, 5000).length).toBeLessThan(text.length + 7000);
  });
});
