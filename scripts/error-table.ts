/** `docs/errors.md` as text: the catalogue of error codes and the rules of `tscompose check`. The unit test prints and compares it. */

/** What the document is made of. */
export interface ErrorSources {
  /** Section → code → `meaning → what to do`. */
  readonly catalogue: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly rules: readonly {
    readonly code: string;
    readonly level: string;
    readonly title: string;
    readonly help: string;
  }[];
}

/** The two halves of an entry. */
export function halves(entry: string): readonly [meaning: string, remedy: string] {
  const [meaning = "", remedy = "", ...more] = entry.split(" → ");
  if (meaning === "" || remedy === "" || more.length > 0) throw new Error(`not "meaning → what to do": ${entry}`);
  return [meaning, remedy];
}

/** The whole document. */
export function errorsDocument({ catalogue, rules }: ErrorSources): string {
  const sections = Object.entries(catalogue).flatMap(([title, codes]) => [
    `## ${title}`,
    "",
    "| code | what it means | what to do |",
    "|---|---|---|",
    ...Object.entries(codes)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, entry]) => row(code, ...halves(entry))),
    "",
  ]);
  return [
    "# Errors",
    "",
    "Every error begins with `error[CODE]:`; with `--progress json` and in the library it carries the code as a field. Codes stay the same from",
    "version to version, messages may change. The error's own hint knows more than this table: it has seen the case at hand.",
    "Printed from `src/lib/error-codes` by `npm run docs`; a test keeps it true and complete.",
    "",
    ...sections,
    "## Findings of `tscompose check`",
    "",
    "| code | level | what it finds | what to do |",
    "|---|---|---|---|",
    ...rules.map(({ code, level, title, help }) => row(code, level, title, help)),
    "",
  ].join("\n");
}

function row(code: string, ...cells: readonly string[]): string {
  return `| \`${code}\` | ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
