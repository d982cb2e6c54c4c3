/** Text from strangers, fit to print. */
import { expect, test } from "@jest/globals";
import { escaped, hasUnprintable, printable } from "../../../src/lib/printable.js";

test.each([
  ["https://user:password@host/x", "https://***@host/x"],
  // found by the fuzzer: no word begins before the scheme here
  ["1https://user:password@host/x", "1https://***@host/x"],
  ["_https://user:password@host/x", "_https://***@host/x"],
  ["https://user:p@ss@host/x", "https://***@host/x"],
  ["https://host/a@b", "https://host/a@b"],
])("%s shows no password", (given, shown) => expect(printable(given)).toBe(shown));

test.each([
  ["soft hyphen", "re\u00addis"],
  ["joiner", "re\u034fdis"],
  ["Hangul fillers", "redis\u3164", "redis\uffa0", "redis\u115f"],
  ["Mongolian separators", "re\u180bdis", "re\u180edis"],
  ["Khmer vowels that show nothing", "redis\u17b4"],
  ["zero width", "re\u200bdis", "re\u2060dis", "\ufeffredis"],
  ["the empty Braille cell", "redis\u2800"],
  ["tags and supplementary selectors", "redis\u{e0041}", "redis\u{e0100}"],
])("what shows nothing tells no two names apart unseen: %s", (_, ...names) => {
  for (const name of names)
    expect([hasUnprintable(name), escaped(name)]).toEqual([true, expect.stringMatching(/\\[uU]/i)]);
});

test("words of any script and emoji pass as they are", () => {
  for (const word of ["naïve", "Ελλάδα", "日本語", "한국어", "עברית", "❤\ufe0f", "👍🏽"])
    expect(escaped(word)).toBe(word);
});
