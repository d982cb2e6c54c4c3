/**
 * Mutated corpus files through the loader for a bounded time: it answers or refuses with an error of ours, never crashes, never
 * hangs. TSCOMPOSE_FUZZ_SECONDS (20) is the time, TSCOMPOSE_FUZZ_SEED repeats a run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { loadModel, loadProject, toConfigJson, toConfigYaml } from "../../src/compose/index.js";
import { isTscError, TscError } from "../../src/lib/errors.js";
import { corpusCases } from "./support/corpus.js";
import { generator, mutate } from "./support/mutate.js";
import { hasShared } from "./support/shared.js";
import { treeFs } from "./support/tree-fs.js";

const seconds = Number(process.env["TSCOMPOSE_FUZZ_SECONDS"] ?? 20);
const seed = Number(process.env["TSCOMPOSE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const SLOW_MS = 2000;

/** Undefined when all is well, else what went wrong. */
async function offence(text: string, override: string): Promise<string | undefined> {
  const files = { "/p/compose.yaml": text, "/p/override.yaml": override };
  const options = {
    cwd: "/p",
    env: { HOME: "/h", A: "1" },
    fs: treeFs(files),
    files: ["compose.yaml", "override.yaml"],
  };
  const start = performance.now();
  let why: string | undefined;
  try {
    const project = await loadProject(options);
    toConfigJson(project);
    await toConfigYaml(project);
    await loadModel({ ...options, noInterpolate: true });
  } catch (error) {
    const all: readonly unknown[] =
      error instanceof AggregateError || (isTscError(error) && "errors" in error && Array.isArray(error.errors))
        ? ((error as { readonly errors?: readonly unknown[] }).errors ?? [error])
        : [error];
    const stranger = all.find((one) => !(one instanceof TscError) || !/^TSC_/.test(one.code) || one.message === "");
    if (stranger !== undefined)
      why = stranger instanceof Error ? (stranger.stack ?? stranger.message) : String(stranger);
  }
  const took = performance.now() - start;
  return why ?? (took > SLOW_MS ? `took ${took.toFixed(0)} ms` : undefined);
}

const check = hasShared ? test : test.skip;

describe("fuzzing", () => {
  check(
    `the loader for ${seconds} s`,
    async () => {
      const pick = generator(seed);
      const texts = corpusCases().flatMap(({ options }) =>
        (options.files ?? []).map((file) => readFileSync(join(options.cwd, file), "utf8")),
      );
      const end = performance.now() + seconds * 1000;
      const findings: string[] = [];
      let runs = 0;
      while (performance.now() < end && findings.length < 5) {
        const one = texts[pick(texts.length)] ?? "";
        const two = texts[pick(texts.length)] ?? "";
        const text = mutate(one.length > 20_000 ? one.slice(0, 20_000) : one, two, pick);
        const override = pick(3) === 0 ? mutate(two.slice(0, 4000), one, pick) : "services: {}\n";
        const why = await offence(text, override);
        if (why !== undefined)
          findings.push(`seed ${seed}, run ${runs}: ${why}\n${JSON.stringify([text, override]).slice(0, 3000)}`);
        runs++;
      }
      process.stdout.write(`fuzz: ${runs} files in ${seconds} s, seed ${seed}, ${findings.length} findings\n`);
      expect(findings).toEqual([]);
    },
    (seconds + 60) * 1000,
  );
});
