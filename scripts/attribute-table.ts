/** `docs/attributes.md` as text, from the table that plan and linter use. The unit test prints and compares it. */

type Names = Readonly<Record<string, string>>;

/** What the document is made of (`src/compose/attributes`). */
export interface AttributeSources {
  /** Place → names with blanks between them. */
  readonly honoured: Names;
  readonly descriptive: Names;
  readonly extensions: Names;
  readonly limits: readonly {
    readonly path: string;
    readonly outcome: string;
    readonly why: string;
    readonly only?: { readonly words: string };
  }[];
  readonly elsewhere: readonly {
    readonly path: string;
    readonly outcome: string;
    readonly words: string;
    readonly by: string;
  }[];
}

const INTRODUCTION = `# Attributes of a compose file, and what becomes of them

Every attribute of the specification is *honoured* (it does what the specification says), *told* (it has no effect here, and a warning says
so) or *refused* (nothing is run, and the error says what to do instead). Nothing is dropped in silence; \`tscompose check\` says the same
with line and column.

Printed from \`src/compose/attributes\` by \`npm run docs\`; a test keeps it true and complete.
`;

/** The whole document. */
export function attributesPage(sources: AttributeSources): string {
  const limits = [
    ...sources.limits.map(({ path, outcome, why, only }) => [path, outcome, only?.words ?? "", why]),
    ...sources.elsewhere.map(({ path, outcome, words, by }) => [path, outcome, words, `said by the ${by}`]),
  ].toSorted(([a = ""], [b = ""]) => (a < b ? -1 : a > b ? 1 : 0));
  return [
    INTRODUCTION,
    "## Told or refused\n",
    "| attribute | what becomes of it | when | why, or what to do |",
    "|---|---|---|---|",
    ...limits.map(([path, outcome, when, why]) => `| \`${path}\` | ${outcome} | ${when} | ${why} |`),
    "\n## Honoured\n",
    ...listed(sources.honoured),
    "\n## Only printed (`config`)\n",
    "Words for people and for other programs; they ask nothing of this one.\n",
    ...listed(sources.descriptive),
    "\n## Extensions of podman-compose that are honoured\n",
    ...listed(sources.extensions),
    "",
  ].join("\n");
}

function listed(table: Names): string[] {
  return Object.entries(table).map(([place, names]) => {
    const words = names
      .split(" ")
      .sort()
      .map((name) => `\`${name}\``);
    return `- ${place === "" ? "at the top" : `\`${place}\``}: ${words.join(", ")}`;
  });
}
