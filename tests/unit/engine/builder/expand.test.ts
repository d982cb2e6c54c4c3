import { describe, expect, test } from "@jest/globals";
import { ExpandError, expandWord } from "../../../../src/engine/builder/dockerfile/expand.js";

const values: Readonly<Record<string, string>> = { a: "foo.tar.gz", e: "", n: "a/b/c" };
const expand = (word: string, keepQuotes = false): string =>
  expandWord(word, { lookup: (name) => values[name], escape: "\\", keepQuotes });

describe("expandWord", () => {
  test.each([
    ["$a", "foo.tar.gz"],
    ["${a}x", "foo.tar.gzx"],
    ["$x", ""],
    ["${x:-d$a}", "dfoo.tar.gz"],
    ["${e:-q}", "q"],
    ["${e-q}", ""],
    ["${a:+yes}", "yes"],
    ["${e:+yes}", ""],
    ["${e+yes}", "yes"],
    ["${a%.*}", "foo.tar"],
    ["${a%%.*}", "foo"],
    ["${a#*.}", "tar.gz"],
    ["${a##*.}", "gz"],
    ["${n/b/X}", "a/b/c".replace("b", "X")],
    ["${a/o/0}", "f0o.tar.gz"],
    ["${a//o/0}", "f00.tar.gz"],
    ["'$a'", "$a"],
    ['"$a b"', "foo.tar.gz b"],
    ['"\\$a \\x"', "$a \\x"],
    ["\\$a", "$a"],
    ["a$", "a$"],
    ["${x:-${a%%.*}}", "foo"],
    ["a\\ b", "a b"],
  ])("%s → %s", (word, result) => {
    expect(expand(word)).toBe(result);
  });
  test("here-document text keeps its quotes", () => {
    expect(expand("say '$a' \"$e\" \\$a \\n", true)).toBe("say 'foo.tar.gz' \"\" $a \\n");
  });
  test("values do not grow without end", () => {
    const env: Record<string, string> = { v0: "x".repeat(1024) };
    const lookup = (name: string): string | undefined => env[name];
    const double = (): void => {
      for (let i = 1; i < 60; i++) env[`v${i}`] = expandWord(`$v${i - 1}$v${i - 1}`, { lookup, escape: "\\" });
    };
    expect(double).toThrow("a value becomes longer than 1048576 characters");
    const budget = { left: 4096 };
    const four = (): void => {
      for (let i = 0; i < 5; i++) expandWord("$v0", { lookup, escape: "\\", budget });
    };
    expect(four).toThrow("too large together");
    expect(() => expandWord("${a:-".repeat(5000), { lookup, escape: "\\" })).toThrow("inside one another");
    const stars = "*a".repeat(100);
    env["long"] = "a".repeat(2000);
    for (const form of [`%%${stars}b`, `%${stars}b`, `#${stars}b`, `##${stars}b`, `/${stars}b/x`, `//${stars}b/x`]) {
      expect(expandWord(`\${long${form}}`, { lookup, escape: "\\" })).toBe(env["long"]);
    }
  });
  test("a pattern that is too long is an error of the word", () => {
    expect(() => expand(`\${a##${"*a".repeat(5000)}}`)).toThrow(ExpandError);
    expect(() => expand(`\${a//${"*a".repeat(5000)}/x}`)).toThrow(ExpandError);
  });
  test("a pattern and a value that would be matched for minutes are refused", () => {
    // each character of such a value is a new set of positions: 150 s for a mebibyte
    let seed = 1;
    const value = Array.from({ length: 100_000 }, () => {
      seed = Number((BigInt(seed) * 48271n) % 2147483647n);
      return seed & 64 ? "a" : "b";
    }).join("");
    const lookup = (name: string): string | undefined => (name === "long" ? value : undefined);
    const pattern = `c${"?".repeat(4000)}a`;
    for (const form of [`//${pattern}/x`, `%%*${pattern}`, `##*${pattern}`]) {
      expect(() => expandWord(`\${long${form}}`, { lookup, escape: "\\" })).toThrow("is too much to match");
    }
    // many of what one may cost are as many too much
    const budget = { left: 1 << 20 };
    const often = (): void => {
      for (let i = 0; i < 50; i++) expandWord("${long//abc/x}", { lookup, escape: "\\", budget });
    };
    expect(often).toThrow("too large together");
  });
  test("errors", () => {
    expect(() => expand("${x?gone}")).toThrow("x: gone");
    expect(() => expand("${a")).toThrow();
    expect(() => expand("'a")).toThrow("single-quote");
    expect(() => expand("${a^}")).toThrow("unsupported modifier (^)");
  });
});
