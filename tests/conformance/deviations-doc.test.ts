/** docs/deviations.md: every row is complete, and what it names exists. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "@jest/globals";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const text = readFileSync(join(REPOSITORY, "docs/deviations.md"), "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| what |"))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("every row says what docker compose does, what happens here, and why", () => {
  expect(rows.length).toBeGreaterThan(25);
  for (const cells of rows) expect(cells.slice(0, cells.length === 5 ? 4 : 3).every((cell) => cell !== "")).toBe(true);
  expect(readFileSync(join(REPOSITORY, "README.md"), "utf8")).toContain("docs/deviations.md");
});

test("the codes it names are thrown somewhere", () => {
  const src = join(REPOSITORY, "src");
  const code = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(src, path), "utf8"))
    .join("\n");
  const codes = [...new Set(text.match(/TSC_[A-Z_]+/g))];
  expect(codes.length).toBeGreaterThan(5);
  expect(codes.filter((name) => !code.includes(`"${name}"`))).toEqual([]);
});
