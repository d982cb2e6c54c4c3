/**
 * `npm run fuzz [-- SECONDS [TARGET…]]`: every target in turn, a new seed each round, until the time is over (60 s; compose files have a
 * fuzzer of their own, tests/conformance/fuzz.test.ts). Findings are copied into the corpus. TSCOMPOSE_FUZZ_SEED is the first seed.
 */
import { FUZZ_TARGETS, keepFinding, playTarget } from "./play.js";

const [seconds = "60", ...wanted] = process.argv.slice(2);
const targets = FUZZ_TARGETS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (targets.length === 0 || !(Number(seconds) > 0)) {
  process.stderr.write(
    `usage: npm run fuzz [-- SECONDS [TARGET...]]\ntargets: ${FUZZ_TARGETS.map(({ name }) => name).join(" ")}\n`,
  );
  process.exit(2);
}
const end = performance.now() + Number(seconds) * 1000;
const counts = new Map(targets.map(({ name }) => [name, 0]));
let findings = 0;
let seed = Number(process.env["TSCOMPOSE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
do {
  for (const target of targets) {
    const { executions, finding } = await playTarget(target, target.executions, seed);
    counts.set(target.name, (counts.get(target.name) ?? 0) + executions);
    if (finding !== undefined) {
      findings++;
      process.stdout.write(
        `${target.name}, seed ${seed}: ${finding.said}\nkept as ${keepFinding(target, finding.path)}\n`,
      );
    }
    if (performance.now() > end) break;
  }
  seed++;
} while (performance.now() < end && findings < 10);
for (const [name, count] of counts) process.stdout.write(`${name}: ${count} executions\n`);
process.stdout.write(`${findings} findings\n`);
process.exit(findings > 0 ? 1 : 0);
