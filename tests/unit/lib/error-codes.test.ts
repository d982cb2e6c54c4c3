/** The catalogue of error codes: what the code throws is explained, what is explained is thrown, and docs/errors.md says the same. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { errorsDocument, halves } from "../../../scripts/error-table.js";
import { RULES } from "../../../src/compose/check/index.js";
import { ERROR_CATALOGUE } from "../../../src/lib/error-codes/index.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const DOCUMENT = join(ROOT, "docs/errors.md");

/** Codes in quotes, by file; prefixes such as `"TSC_CHECK_"` are none. */
function codesIn(folder: string, ending: RegExp): Set<string> {
  const found = new Set<string>();
  for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !ending.test(path) || path.includes("/error-codes/") || path.includes("/native/build"))
      continue;
    for (const [, code = ""] of readFileSync(path, "utf8").matchAll(/"(TSC_[A-Z0-9_]*[A-Z0-9])"/g)) found.add(code);
  }
  return found;
}

const explained = Object.values(ERROR_CATALOGUE).flatMap((codes) => Object.keys(codes));
const rules = RULES.map(({ code }) => code);
const inCode = codesIn("src", /\.ts$/);
const inNative = codesIn("native", /\.[ch]$/);

describe("error codes", () => {
  test("what is thrown is explained, in TypeScript and in C", () => {
    expect(inCode.size).toBeGreaterThan(200);
    expect(inNative.size).toBeGreaterThan(3);
    const known = new Set([...explained, ...rules]);
    expect([...inCode, ...inNative].filter((code) => !known.has(code))).toEqual([]);
  });

  test("what is explained is thrown, once in the catalogue, with its meaning and what to do", () => {
    expect(explained.filter((code) => !inCode.has(code) && !inNative.has(code))).toEqual([]);
    expect(explained.length).toBe(new Set(explained).size);
    for (const codes of Object.values(ERROR_CATALOGUE)) for (const entry of Object.values(codes)) halves(entry);
  });

  test("docs/errors.md is what the catalogue prints (`npm run docs` writes it)", () => {
    const text = errorsDocument({ catalogue: ERROR_CATALOGUE, rules: RULES });
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(DOCUMENT, text);
    expect(readFileSync(DOCUMENT, "utf8")).toBe(text);
  });
});
