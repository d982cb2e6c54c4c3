import { describe, expect, test } from "@jest/globals";
import { expandWord } from "../../../../src/engine/build/dockerfile/expand.js";

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
  test("errors", () => {
    expect(() => expand("${x?gone}")).toThrow("x: gone");
    expect(() => expand("${a")).toThrow();
    expect(() => expand("'a")).toThrow("single-quote");
    expect(() => expand("${a^}")).toThrow("unsupported modifier (^)");
  });
});
