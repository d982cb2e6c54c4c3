/**
 * Changed compose files through the reference and this loader: `npm run fuzz [-- SECONDS reference]`, or directly
 *
 *   node --import ./tests/resolve-ts.js tests/fuzz/reference/main.ts BINARY MUTANTS
 *
 * Acceptance and JSON of `config` must be equal; what differs is counted by kind (kinds.ts), and the rest is written to a file and fails
 * the run when it is more than one in a hundred. Text and warnings are counted, too. Then nothing, at every place of the schema, in the same
 * way. TSCOMPOSE_FUZZ_SEED repeats; TSCOMPOSE_FUZZ_ANSWERS, a folder, keeps the reference's answers for the next run of the seed.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { corpusCases } from "../../conformance/support/corpus.js";
import { emptyValues } from "../../conformance/support/empty-values.js";
import { generator, mutate } from "../../conformance/support/mutate.js";
import { BESIDE } from "../../conformance/support/schema-paths.js";
import { hasShared } from "../../conformance/support/shared.js";
import { keptAnswers } from "./kept-answers.js";
import { kindOf } from "./kinds.js";
import { type Answer, ours, theirs } from "./sides.js";

/** Runs of the reference side by side: they wait for the machine more than they use it. */
const WORKERS = 2;
/** Differences without a kind, of all that was played. */
const TOLERATED = 0.01;
/** With more, the reference refuses nearly all, and nothing of the JSON is compared. */
const CHANGES = 1;
const MAX_TEXT = 20_000;

interface Job {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}
interface Difference {
  readonly name: string;
  readonly kind: string;
  readonly texts: Job["texts"];
  readonly ours: Answer;
  readonly theirs: Answer;
}

const [binary = "", wanted = "5000"] = process.argv.slice(2);
const seed = Number(process.env["TSCOMPOSE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const kept = process.env["TSCOMPOSE_FUZZ_ANSWERS"];
// paths are in the answers
const work = kept === undefined ? mkdtempSync(join(tmpdir(), "tsc-fuzz-reference-")) : join(kept, "work");
mkdirSync(work, { recursive: true });
const askThem = keptAnswers(kept === undefined ? undefined : join(kept, "answers.jsonl"));

/** Ends early, with a report of what was played. */
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    stopped = true;
  });

/** The same seed makes the same mutants. */
function* mutants(count: number, folder: string): Generator<Job> {
  const pick = generator(seed);
  const cases = corpusCases().filter(({ options }) => (options.files ?? []).length > 0);
  const copied = new Set<string>();
  for (let i = 0; i < count; i++) {
    const index = pick(cases.length);
    const other = cases[pick(cases.length)];
    const one = cases[index];
    if (one === undefined || other === undefined) continue;
    const source = join(folder, String(index));
    if (!copied.has(source)) cpSync(one.source, source, { recursive: true });
    copied.add(source);
    const files = one.options.files ?? [];
    const changed = pick(files.length);
    const read = (at: string, file: string) => readFileSync(join(at, file), "utf8").slice(0, MAX_TEXT);
    const foreign = read(other.options.cwd, other.options.files?.[0] ?? "");
    const place = join(source, relative(one.source, one.options.cwd));
    yield {
      name: `mutant ${i} of ${one.id}`,
      folder: place,
      files,
      texts: { [files[changed] ?? ""]: mutate(read(one.options.cwd, files[changed] ?? ""), foreign, pick, CHANGES) },
    };
  }
}

function* nothings(folder: string): Generator<Job> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(BESIDE)) writeFileSync(join(folder, name), text);
  for (const { name, text } of emptyValues())
    yield { name, folder, files: ["compose.yaml"], texts: { "compose.yaml": text } };
}

/** Both sides of each job; counts of what was equal, and what was not. */
async function compare(title: string, jobs: (folder: string) => Generator<Job>): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const counts = { played: 0, accepted: 0, sameAcceptance: 0, same: 0, sameText: 0 };
  // each worker has a folder and a generator of its own and plays every n-th job: a changed file is seen by one alone
  await Promise.all(
    Array.from({ length: WORKERS }, async (_, worker) => {
      let n = 0;
      for (const job of jobs(join(work, `${title}-${worker}`))) {
        if (n++ % WORKERS !== worker) continue;
        if (stopped) break;
        const before = Object.keys(job.texts).map((file) => [file, readIfThere(join(job.folder, file))] as const);
        for (const [file, text] of Object.entries(job.texts)) writeFileSync(join(job.folder, file), text);
        const [mine, reference] = await Promise.all([
          ours(job.folder, job.files),
          askThem([job.folder, job.files, job.texts], () => theirs(binary, job.folder, job.files)),
        ]);
        for (const [file, text] of before) if (text !== undefined) writeFileSync(join(job.folder, file), text);
        counts.played++;
        const kind = differenceOf(mine, reference, Object.values(job.texts));
        if ("json" in reference) counts.accepted++;
        if ("json" in mine === "json" in reference) counts.sameAcceptance++;
        if (kind === undefined) counts.sameText++;
        if (kind === undefined || LESSER.includes(kind)) counts.same++;
        if (kind !== undefined)
          differences.push({ name: job.name, kind, texts: job.texts, ours: mine, theirs: reference });
        if (counts.played % 100 === 0) process.stdout.write(`${title}: ${counts.played}, ${counts.same} equal\n`);
      }
    }),
  );
  const share = (part: number) => `${part} (${((100 * part) / Math.max(1, counts.played)).toFixed(2)} %)`;
  process.stdout.write(
    `${title}: ${counts.played} played, the reference accepts ${counts.accepted}; acceptance equal ${share(counts.sameAcceptance)}, acceptance and JSON equal ${share(counts.same)}, text and warnings, too, ${share(counts.sameText)}\n`,
  );
  for (const [kind, list] of Object.entries(Object.groupBy(differences, (one) => one.kind)))
    process.stdout.write(`  ${list?.length ?? 0} ${kind}: ${list?.[0]?.name ?? ""}\n`);
  const faults = differences.filter(({ kind }) => FAULTS.includes(kind));
  if (faults.some(({ kind }) => kind === "internal error") || faults.length > counts.played * TOLERATED)
    process.exitCode = 1;
  return differences;
}

/** Differences of what stands beside equal JSON. */
const LESSER: readonly string[] = ["other text", "other warnings"];
const FAULTS: readonly string[] = ["internal error", "accepted here", "refused here", "other JSON"];

/** Undefined when both refuse, or print the same. */
function differenceOf(mine: Answer, reference: Answer, texts: readonly string[]): string | undefined {
  if ("broken" in mine) return "internal error";
  const explained = () => kindOf({ ours: mine, theirs: reference, texts });
  if ("json" in mine && "json" in reference) {
    if (mine.json === reference.json) return sameSet(mine.warnings, reference.warnings) ? undefined : "other warnings";
    return explained() ?? (sameJson(mine.json, reference.json) ? "other text" : "other JSON");
  }
  if ("json" in mine) return explained() ?? "accepted here";
  return "json" in reference ? (explained() ?? "refused here") : undefined;
}

function sameJson(a: string, b: string): boolean {
  return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (!hasShared) {
  process.stdout.write("reference: SKIPPED, ../shared/conformance is not there\n");
} else {
  process.stdout.write(`reference: ${binary}, seed ${seed}\n`);
  const found = [
    ...(await compare("mutants", (folder) => mutants(Number(wanted), folder))),
    ...(Number(wanted) < 5000 ? [] : await compare("nothing", nothings)),
  ];
  const report = join(tmpdir(), `tsc-fuzz-reference-${seed}.json`);
  writeFileSync(report, JSON.stringify(found, null, 1));
  process.stdout.write(`${found.length} differences are in ${report}\n`);
}
rmSync(work, { recursive: true, force: true });
