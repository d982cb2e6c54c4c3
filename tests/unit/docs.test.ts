/** What is written about the sources is there and true: doc comments of exports, tense of comments, names in ARCHITECTURE.md. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Comment, parseSync } from "oxc-parser";

const ROOT = resolve(import.meta.dirname, "../..");
const SRC = join(ROOT, "src");

/** Exports without a doc comment where others are at work; a number may only fall. */
const UNDOCUMENTED: Readonly<Record<string, number>> = {};

interface Source {
  readonly path: string;
  readonly text: string;
  readonly exports: readonly { readonly name: string; readonly isDocumented: boolean }[];
  readonly comments: readonly Comment[];
}

function read(path: string): Source {
  const text = readFileSync(join(SRC, path), "utf8");
  const { program, comments } = parseSync(path, text);
  const exports = program.body.flatMap((statement) => {
    if (statement.type !== "ExportNamedDeclaration" || statement.declaration === null) return [];
    const { declaration } = statement;
    const id =
      "declarations" in declaration
        ? declaration.declarations[0]?.id
        : "id" in declaration
          ? declaration.id
          : undefined;
    const name = id !== undefined && id !== null && "name" in id ? String(id.name) : "(unnamed)";
    const above = comments.findLast(({ end }) => end <= statement.start);
    const isDocumented =
      above?.type === "Block" &&
      above.value.startsWith("*") &&
      /^[ \t]*\n?[ \t]*$/.test(text.slice(above.end, statement.start));
    // a command says what it does in its summary
    const isCommand = name === "command" && path.startsWith("cli/commands/");
    return [{ name, isDocumented: isDocumented || isCommand }];
  });
  return { path, text, exports, comments };
}

const sources: readonly Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  .filter((path) => !path.startsWith("compose/generated/"))
  .map(read);

describe("words about the sources", () => {
  test("every exported declaration has a doc comment", () => {
    expect(sources.flatMap(({ exports }) => exports).length).toBeGreaterThan(1500);
    const missing = sources.flatMap(({ path, exports }) =>
      exports.filter(({ isDocumented }) => !isDocumented).map(({ name }) => `${path} ${name}`),
    );
    const areas = Object.keys(UNDOCUMENTED);
    expect(missing.filter((place) => !areas.some((area) => place.startsWith(`${area}/`)))).toEqual([]);
    for (const area of areas) {
      const here = missing.filter((place) => place.startsWith(`${area}/`));
      expect({ area, tooMany: here.length > (UNDOCUMENTED[area] ?? 0) ? here : [] }).toEqual({ area, tooMany: [] });
    }
  });

  test("comments speak of what is, not of what was", () => {
    // what a thing at run time does no longer is no history of the code
    const history =
      /\b(?:previously|used to (?!be\b)|(?:was|has been|were) renamed|we now|now uses|old code|old behaviou?r)\b/i;
    const told = sources.flatMap(({ path, comments }) =>
      comments.filter(({ value }) => history.test(value)).map(({ value }) => `${path}: ${value.trim()}`),
    );
    expect(told).toEqual([]);
  });

  test("every rule that a comment cites is in docs, and none is cited by number alone", () => {
    const cited = sources.flatMap(({ path, comments }) =>
      comments.flatMap(({ value }) =>
        [...value.matchAll(/docs\/([\w-]+\.md) (\w+\d+)/g)].map(([, file = "", rule = ""]) => ({ path, file, rule })),
      ),
    );
    expect(cited.length).toBeGreaterThan(8);
    const lost = cited.filter(
      ({ file, rule }) => !new RegExp(`^## ${rule}\\. `, "m").test(readFileSync(join(ROOT, "docs", file), "utf8")),
    );
    expect(lost).toEqual([]);
    const bare = sources.flatMap(({ path, comments }) =>
      comments.filter(({ value }) => /\brules? \d+|\b(?:compose|reliability)\.md §/i.test(value)).map(() => path),
    );
    expect(bare).toEqual([]);
  });

  /** What ARCHITECTURE.md has between backticks. */
  const named = [
    ...new Set(
      [...readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").matchAll(/`([^`\n]+)`/g)].map(([, name = ""]) => name),
    ),
  ];

  test("every path that ARCHITECTURE.md names is there", () => {
    const folders = [
      "",
      "src",
      "src/engine",
      "src/engine/*",
      "src/cli",
      "src/*",
      "native",
      "native/launcher",
      "tests/e2e",
      "tests/fuzz",
    ];
    const paths = named.filter((name) => /^[\w.-]+\/(?:[\w*.-]+\/?)*$|^[\w-]+\.(?:ts|c|md|json|mjs|sh)$/.test(name));
    expect(paths.length).toBeGreaterThan(80);
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      exports: Record<string, unknown>;
    };
    const isThere = (name: string): boolean =>
      Object.hasOwn(exports, name.replace(/^tscompose\//, "./")) ||
      folders.some((folder) => globSync(join(ROOT, folder, name)).length > 0);
    expect(paths.filter((name) => !isThere(name))).toEqual([]);
  });

  test("every function that ARCHITECTURE.md names is there", () => {
    const functions = named.filter((name) => /^[a-z]+(?:[A-Z_]\w*)+$|^[A-Z]\w*\.[a-z]\w*$/.test(name));
    expect(functions.length).toBeGreaterThan(25);
    const native = globSync("native/**/*.c", { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), "utf8"));
    const words = new Set([...sources.map(({ text }) => text), ...native].flatMap((text) => text.match(/\w+/g) ?? []));
    expect(functions.filter((name) => !name.split(".").every((word) => words.has(word)))).toEqual([]);
  });
});
