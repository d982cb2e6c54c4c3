/** Runs format, lint, types and the jest suites one after the other, adds up their counts and closes with one line. */
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
}

function suite(name: string): void {
  const started = Date.now();
  const output = join(results, `${name}.json`);
  const parallel = name === "unit" || name === "conformance" ? [] : ["--runInBand"];
  spawnSync(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--no-warnings",
      "node_modules/jest/bin/jest.js",
      `tests/${name}/`,
      "--json",
      `--outputFile=${output}`,
      "--passWithNoTests",
      "--forceExit",
      ...parallel,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    const result = JSON.parse(readFileSync(output, "utf8")) as JestResult;
    passed += result.numPassedTests;
    failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    skipped += result.numPendingTests;
    console.log(
      `${name}: ${result.numPassedTests} passed, ${result.numFailedTests} failed, ${result.numPendingTests} skipped in ${((Date.now() - started) / 1000).toFixed(0)} s`,
    );
  } catch {
    failed++;
    console.log(`FAILED  ${name}: jest gave no result`);
  }
}

if (wanted.length === 0) {
  step("format and lint", bin("biome"), ["check", "--diagnostic-level=error", "."]);
  step("types", bin("tsc"), ["-p", "tsconfig.json"]);
}
for (const name of wanted.length > 0 ? wanted : ["unit", "conformance", "integration", "e2e", "faults"]) suite(name);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);
