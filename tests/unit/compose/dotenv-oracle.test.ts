/** Our reader of `.env` against the `dotenv` package, on what both grammars mean the same by: another author's reading as the oracle. */
import { expect, test } from "@jest/globals";
import { parse } from "dotenv";
import fc from "fast-check";
import { parseDotenv } from "../../../src/compose/env/dotenv.js";

/** Where the grammars part: expansion of `$`, escapes but `\n`, backticks, `#` right behind a word or after nothing, bare keys, `KEY: value`. */
const KEY = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const BLANKS = fc.constantFrom("", " ", "  ", "\t");
const WORD = fc.stringMatching(/^[A-Za-z0-9_.,:;/@%+=~^&*()[\]{}<>|?!-]{1,12}$/);
const UNQUOTED = fc.array(WORD, { maxLength: 3 }).map((words) => words.join(" "));
const SINGLE = fc.stringMatching(/^[A-Za-z0-9 _.,:/"#$=-]{0,12}$/).map((text) => `'${text}'`);
const DOUBLE = fc
  .array(fc.oneof(fc.stringMatching(/^[A-Za-z0-9 _.,:/'#=-]{1,6}$/), fc.constantFrom("\\n", "\n")), { maxLength: 4 })
  .map((parts) => `"${parts.join("")}"`);
const ASSIGNMENT = fc
  .record({
    indent: BLANKS,
    exported: fc.boolean(),
    key: KEY,
    before: BLANKS,
    after: fc.constantFrom("", " "),
    value: fc.oneof(UNQUOTED, SINGLE, DOUBLE),
    comment: fc.constantFrom("", " # a comment", " #"),
  })
  .map(
    ({ indent, exported, key, before, after, value, comment }) =>
      `${indent}${exported ? "export " : ""}${key}${before}=${after}${value}${value === "" ? "" : comment}`,
  );
const LINE = fc.oneof({ weight: 5, arbitrary: ASSIGNMENT }, fc.constantFrom("", "# a comment", "   # another"));
const FILE = fc
  .record({ lines: fc.array(LINE, { maxLength: 6 }), end: fc.constantFrom("\n", "\r\n") })
  .map(({ lines, end }) => lines.map((line) => `${line}${end}`).join(""));

test("the common subset is read as dotenv reads it", () => {
  fc.assert(
    fc.property(FILE, (text) => {
      expect(Object.fromEntries(parseDotenv(text, () => undefined))).toEqual(parse(text));
    }),
    { numRuns: 500 },
  );
});
