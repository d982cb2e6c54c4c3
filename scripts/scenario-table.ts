/**
 * The end-to-end scenarios of docker compose (../shared/conformance/vectors/e2e/SCENARIOS.md) against our tests of the same names. As a
 * program it prints groups passed/total as user and as root: `node scripts/scenario-table.ts RESULTS.json…`, where a file is what
 * `bash scripts/jest.sh tests/e2e/scenarios --json --outputFile=RESULTS.json` wrote (TSCOMPOSE_SCENARIO_MODES=user,root runs all as both).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the list lies beside this repository. */
export const SCENARIOS = resolve(import.meta.dirname, "../../shared/conformance/vectors/e2e/SCENARIOS.md");
const TESTS = resolve(import.meta.dirname, "../tests/e2e/scenarios");

/** Scenarios without a test of their name, and why. */
export const CANNOT_RUN_HERE: ReadonlyMap<string, string> = new Map([
  ["TestComposeModel", "needs a model runner (docker-model), which is not among Debian's packages"],
]);

export interface ScenarioName {
  readonly group: string;
  readonly name: string;
}

/** The scenarios by group, in the list's order. */
export function listedScenarios(list: string): readonly ScenarioName[] {
  let group = "";
  return list.split("\n").flatMap((line) => {
    group = /^## (.+)$/.exec(line)?.[1] ?? group;
    const name = /^- \*\*(Test\w+)\*\*/.exec(line)?.[1];
    return name === undefined ? [] : [{ group, name }];
  });
}

/** Names that our scenario tests carry. */
export function testedScenarios(): ReadonlySet<string> {
  const sources = readdirSync(TESTS).map((file) => readFileSync(join(TESTS, file), "utf8"));
  return new Set(sources.flatMap((text) => [...text.matchAll(/"(Test\w+)"/g)].map(([, name = ""]) => name)));
}

interface JestResults {
  readonly testResults: readonly { readonly assertionResults: readonly { title: string; status: string }[] }[];
}

/** Groups × passed/total as user and as root, from jest's results; then what failed and what has no test. */
export function scenarioTable(listed: readonly ScenarioName[], results: readonly JestResults[]): string {
  const outcome = new Map<string, boolean>();
  for (const { title, status } of results.flatMap((one) => one.testResults.flatMap((file) => file.assertionResults))) {
    const match = /^(Test\w+) \((user|root)\)/.exec(title);
    if (match !== null && status !== "pending") outcome.set(`${match[1]} ${match[2]}`, status === "passed");
  }
  const cell = (names: readonly string[], mode: string): string => {
    const run = names.flatMap((name) => outcome.get(`${name} ${mode}`) ?? []);
    return run.length === 0 ? "–" : `${run.filter(Boolean).length}/${run.length}`;
  };
  const groups = Map.groupBy(listed, ({ group }) => group);
  const all = listed.map(({ name }) => name);
  const lines = [...groups].map(([group, members]) => {
    const names = members.map(({ name }) => name);
    return `| ${group} | ${names.length} | ${cell(names, "user")} | ${cell(names, "root")} |`;
  });
  const failed = [...outcome].flatMap(([key, passed]) => (passed ? [] : [key]));
  return `${[
    "| group | scenarios | passed/run as user | passed/run as root |",
    "|---|---|---|---|",
    ...lines,
    `| **all** | ${all.length} | ${cell(all, "user")} | ${cell(all, "root")} |`,
    "",
    ...failed.map((key) => `failed: ${key}`),
    ...[...CANNOT_RUN_HERE].map(([name, reason]) => `not run: ${name}: ${reason}`),
  ].join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")) as JestResults);
  process.stdout.write(scenarioTable(listedScenarios(readFileSync(SCENARIOS, "utf8")), results));
}
