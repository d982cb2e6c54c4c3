/** The tables of SECURITY.md and docs/security-cves.md: every row has a test that is there, or a reason. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";

const ROOT = resolve(import.meta.dirname, "../..");

interface Row {
  readonly hole: string;
  readonly here: string;
}

/** Rows of every table; the last cell says what stands against the first. */
function rowsOf(file: string): Row[] {
  return readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (hole|attack) \|/.test(line))
    .map((line) => {
      const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
      return { hole: cells[0] ?? "", here: cells.at(-1) ?? "" };
    });
}

/** `tests/….test.ts: name` as often as a cell has it; a name ends where the next file begins. */
function testsIn(cell: string): { readonly file: string; readonly name: string }[] {
  return [...cell.matchAll(/(tests\/[\w./-]+\.test\.ts): (.+?)(?=; tests\/|$)/g)].map(([, file = "", name = ""]) => ({
    file,
    name,
  }));
}

describe.each(["SECURITY.md", "docs/security-cves.md"])("%s", (file) => {
  const rows = rowsOf(file);

  test("has a test or a reason in every row", () => {
    expect(rows.length).toBeGreaterThan(10);
    const empty = rows.filter(({ here }) => testsIn(here).length === 0 && !/^does not apply because .{10}/.test(here));
    expect(empty).toEqual([]);
  });

  test("names tests that exist", () => {
    const missing = rows.flatMap(({ hole, here }) =>
      testsIn(here)
        .filter(({ file: path, name }) => !hasTitle(path, name))
        .map(({ file: path, name }) => `${hole}: ${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Whether a file opens a test, a group or a row of a table with these words. */
function hasTitle(path: string, words: string): boolean {
  const text = existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), "utf8").replace(/\\(["`])/g, "$1") : "";
  return ['"', "`"].some((quote) => text.includes(quote + words));
}
