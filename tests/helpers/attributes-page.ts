/** docs/attributes.md, from the table that plan and linter use. */
import { DESCRIPTIVE, EXTENSIONS, HONOURED } from "../../src/compose/attributes/honoured.js";
import { LIMITS, LIMITS_ELSEWHERE } from "../../src/compose/attributes/limits.js";

const INTRODUCTION = `# Attributes of a compose file, and what becomes of them

Every attribute of the specification is *honoured* (it does what the specification says), *told* (it has no effect here, and a warning says
so) or *refused* (nothing is run, and the error says what to do instead). Nothing is dropped in silence; \`tscompose check\` says the same
with line and column.

A test writes and compares this page: \`UPDATE_GOLDEN=1 bash scripts/jest.sh tests/unit/compose/attributes.test.ts\`.
`;

/** The text of the page. */
export function attributesPage(): string {
  const limits = [
    ...LIMITS.map(({ path, outcome, why, only }) => [path, outcome, only?.words ?? "", why]),
    ...LIMITS_ELSEWHERE.map(({ path, outcome, words, by }) => [path, outcome, words, `said by the ${by}`]),
  ].toSorted(([a = ""], [b = ""]) => (a < b ? -1 : a > b ? 1 : 0));
  return [
    INTRODUCTION,
    "## Told or refused\n",
    "| attribute | what becomes of it | when | why, or what to do |",
    "|---|---|---|---|",
    ...limits.map(([path, outcome, when, why]) => `| \`${path}\` | ${outcome} | ${when} | ${why} |`),
    "\n## Honoured\n",
    ...listed(HONOURED),
    "\n## Only printed (`config`)\n",
    "Words for people and for other programs; they ask nothing of this one.\n",
    ...listed(DESCRIPTIVE),
    "\n## Extensions of podman-compose that are honoured\n",
    ...listed(EXTENSIONS),
    "",
  ].join("\n");
}

function listed(table: Readonly<Record<string, string>>): string[] {
  return Object.entries(table).map(([place, names]) => {
    const words = names
      .split(" ")
      .sort()
      .map((name) => `\`${name}\``);
    return `- ${place === "" ? "at the top" : `\`${place}\``}: ${words.join(", ")}`;
  });
}
