/**
 * Runs format, lint, types and the jest suites one after the other, adds up their counts and closes with one line. Test files with a
 * failure are played once more by themselves: what passes then is named as unsteady and counts as passed, for a machine that was busy
 * elsewhere must not keep work from landing; what fails twice has failed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leaksSince, snapshot } from "../tests/helpers/leaks.js";

const bin = (name: string) => join(import.meta.dirname, "../node_modules/.bin", name);
const wanted = process.argv.slice(2);
const results = mkdtempSync(join(tmpdir(), "tsc-suites-"));
let passed = 0;
let failed = 0;
let skipped = 0;

function step(name: string, program: string, args: string[]): void {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  console.log(`${status === 0 ? "ok" : "FAILED"}  ${name}`);
  if (status === 0) passed++;
  else failed++;
}

interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Plays test files (a path or a part of one); undefined when jest itself ended early. */
function play(
  suite: Suite,
  name: string,
  files: readonly string[],
  options: readonly string[],
): JestResult | undefined {
  const output = join(results, `${name}.json`);
  spawnSync(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--no-warnings",
      "node_modules/jest/bin/jest.js",
      ...files,
      "--json",
      `--outputFile=${output}`,
      "--passWithNoTests",
      "--forceExit",
      ...options,
    ],
    { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...suite.env } },
  );
  try {
    return JSON.parse(readFileSync(output, "utf8")) as JestResult;
  } catch {
    return undefined;
  }
}

const failuresOf = (result: JestResult): number => result.numFailedTests + result.numRuntimeErrorTestSuites;

interface Suite {
  readonly name: string;
  /** Parts of paths; `tests/NAME/` without. */
  readonly files?: readonly string[];
  /** Needs no machine of its own. */
  readonly parallel?: boolean;
  /** Two files at a time, but those that look at the whole machine. */
  readonly together?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const SUITES: readonly Suite[] = [
  { name: "unit", parallel: true },
  // the same files every time: this tells what a commit breaks, `npm run fuzz` looks for what nobody has met yet
  { name: "conformance", parallel: true, env: { TSCOMPOSE_FUZZ_SEED: process.env["TSCOMPOSE_FUZZ_SEED"] ?? "1" } },
  { name: "fuzz" },
  // the tests of the native part again, with its programs under sanitizers (the fuzz suite has built them)
  {
    name: "sanitized",
    files: ["tests/integration/native/", "tests/integration/runtime/lifecycle"],
    env: { TSC_NATIVE_DIR: "native/build-sanitize" },
  },
  { name: "integration", together: true },
  { name: "e2e", together: true },
  { name: "faults" },
];

/** Files that change or compare what belongs to the whole machine: rules, links, the system's users, every process. */
const ALONE =
  /native\/|(bridge|bridge-plugin|rules|device-filter|identity|missing-programs|isolation|reach|stay|numbers)\.test/;

const SHARED = "TSCOMPOSE_TEST_SHARED_MACHINE";

/** Plays a suite two files at a time, then by itself what needs the machine; one result. The machine must look as before in between. */
async function playTogether(suite: Suite): Promise<JestResult | undefined> {
  const { name } = suite;
  const files = `tests/${name}/`;
  // by itself a file compares the machine before and after each test; two at a time can tell only what names their own folders
  const isShared = process.env[SHARED] !== undefined;
  const before = snapshot();
  const env = { ...suite.env, [SHARED]: "1" };
  const together = play({ ...suite, env }, name, [files], ["--maxWorkers=2", "--testPathIgnorePatterns", ALONE.source]);
  const { lines } = isShared ? { lines: [] } : await leaksSince(before, results);
  for (const line of lines) console.log(`LEFT BEHIND  ${line}`);
  if (lines.length > 0) failed++;
  const alone = play(suite, `${name}-alone`, [`${files}.*(${ALONE.source})`], ["--runInBand"]);
  if (together === undefined || alone === undefined) return undefined;
  const sum = (key: "numPassedTests" | "numFailedTests" | "numPendingTests" | "numRuntimeErrorTestSuites") =>
    together[key] + alone[key];
  return {
    numPassedTests: sum("numPassedTests"),
    numFailedTests: sum("numFailedTests"),
    numPendingTests: sum("numPendingTests"),
    numRuntimeErrorTestSuites: sum("numRuntimeErrorTestSuites"),
    testResults: [...together.testResults, ...alone.testResults],
  };
}

async function run(suite: Suite): Promise<void> {
  const { name } = suite;
  const started = Date.now();
  const parallel = suite.parallel === true ? [] : ["--runInBand"];
  const first =
    suite.together === true
      ? await playTogether(suite)
      : play(suite, name, suite.files ?? [`tests/${name}/`], parallel);
  if (first === undefined) {
    failed++;
    console.log(`FAILED  ${name}: jest gave no result`);
    return;
  }
  let lost = failuresOf(first);
  let won = first.numPassedTests;
  const again = first.testResults.filter(({ status }) => status === "failed");
  if (lost > 0 && again.length > 0) {
    const files = again.map((file) => file.name);
    const second = play(suite, `${name}-again`, files, ["--runTestsByPath", ...parallel]);
    for (const file of again) {
      for (const test of file.assertionResults) {
        if (test.status === "failed") console.log(`UNSTEADY OR FAILED  ${test.fullName}`);
      }
    }
    if (second !== undefined) {
      const before = again.flatMap((file) => file.assertionResults).filter((test) => test.status === "passed").length;
      lost = failuresOf(second);
      won += second.numPassedTests - before;
    }
  }
  passed += won;
  failed += lost;
  skipped += first.numPendingTests;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${name}: ${won} passed, ${lost} failed, ${first.numPendingTests} skipped in ${seconds} s`);
}

if (wanted.length === 0) {
  step("format and lint", bin("biome"), ["check", "--diagnostic-level=error", "."]);
  step("types", bin("tsc"), ["-p", "tsconfig.json"]);
}
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0)
  throw new Error(`no suite ${unknown.join(", ")}: one of ${SUITES.map(({ name }) => name).join(", ")}`);
if (
  wanted.length === 0 ||
  wanted.some((name) => SUITES.some((suite) => suite.name === name && suite.together === true))
) {
  const made = spawnSync(
    process.execPath,
    ["--import", "./tests/resolve-ts.js", "--no-warnings", "tests/helpers/prepare.ts"],
    { stdio: "inherit" },
  );
  if (made.status !== 0) throw new Error("the test images cannot be made");
}
for (const suite of SUITES) if (wanted.length === 0 || wanted.includes(suite.name)) await run(suite);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);
