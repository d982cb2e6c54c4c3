/**
 * Runs format, lint, types and the jest suites one after the other, adds up their counts and closes with one line. Test files with a
 * failure are played once more by themselves: what passes then is named as unsteady and counts as passed, for a machine that was busy
 * elsewhere must not keep work from landing; what fails twice has failed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
  readonly env?: Readonly<Record<string, string>>;
}

const SUITES: readonly Suite[] = [
  { name: "unit", parallel: true },
  { name: "conformance", parallel: true },
  { name: "fuzz" },
  // the tests of the native part again, with its programs under sanitizers (the fuzz suite has built them)
  {
    name: "sanitized",
    files: ["tests/integration/native/", "tests/integration/runtime/lifecycle"],
    env: { TSC_NATIVE_DIR: "native/build-sanitize" },
  },
  { name: "integration" },
  { name: "e2e" },
  { name: "faults" },
];

function run(suite: Suite): void {
  const { name } = suite;
  const started = Date.now();
  const parallel = suite.parallel === true ? [] : ["--runInBand"];
  const first = play(suite, name, suite.files ?? [`tests/${name}/`], parallel);
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
for (const suite of SUITES) if (wanted.length === 0 || wanted.includes(suite.name)) run(suite);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);
