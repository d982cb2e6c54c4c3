/**
 * Plays a corpus, then seeded changes of it, against a target; the twin of native/fuzz/driver.c:
 *
 *   node --import ./tests/resolve-ts.js tests/fuzz/driver.ts TARGET CORPUS EXECUTIONS SEED FINDING
 *
 * The same seed plays the same inputs. The input at work stands in the file FINDING until all went well. Exit 1 and a stack trace: a finding;
 * killed by SIGKILL of its own watch: a hang. Prints `{"executions":N,"inputs":N}`.
 */
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { generator, mutate } from "./mutate.js";
import { promise } from "./target.js";
import { TARGETS } from "./targets/index.js";

/** Far above what any target needs (node itself takes about 100 MB). */
const MAX_RSS_KIB = 600 * 1024;
/** One input that takes this long hangs, on however busy a machine. */
const HANG_SECONDS = 60;

const [name = "", corpus = "", executions = "0", seed = "1", finding = ""] = process.argv.slice(2);
const target = TARGETS[name];
if (target === undefined) throw new Error(`no fuzz target ${name}: one of ${Object.keys(TARGETS).join(", ")}`);
const inputs = readdirSync(corpus)
  .sort()
  .map((file) => readFileSync(join(corpus, file)));

const played = new Int32Array(new SharedArrayBuffer(4));
const watch = `
  const { workerData: { played, seconds, pid } } = require("node:worker_threads");
  let last = -1, quiet = 0;
  setInterval(() => {
    quiet = played[0] === last ? quiet + 1 : 0;
    last = played[0];
    if (quiet < seconds) return;
    require("node:fs").writeSync(2, "hang: one input takes too long\\n");
    process.kill(pid, "SIGKILL");
  }, 1000);`;
new Worker(watch, { eval: true, workerData: { played, seconds: HANG_SECONDS, pid: process.pid } }).unref();

const file = openSync(finding, "w", 0o600);
async function play(data: Buffer): Promise<void> {
  ftruncateSync(file, 0);
  writeSync(file, data, 0, data.length, 0);
  await target?.run(data);
  Atomics.add(played, 0, 1);
}

for (const input of inputs) await play(input);
const pick = generator(Number(seed));
const nothing = Buffer.alloc(0);
for (let i = 0; i < Number(executions); i++) {
  const changed = mutate(
    inputs[pick(inputs.length)] ?? nothing,
    inputs[pick(inputs.length)] ?? nothing,
    target.words,
    pick,
  );
  await play(target.mend !== undefined && pick(8) !== 0 ? target.mend(changed) : changed);
}
promise(
  process.resourceUsage().maxRSS < MAX_RSS_KIB,
  `memory stays bounded, not ${process.resourceUsage().maxRSS} KiB`,
);
closeSync(file);
rmSync(finding);
process.stdout.write(`${JSON.stringify({ executions: Number(executions) + inputs.length, inputs: inputs.length })}\n`);
process.exit(0);
