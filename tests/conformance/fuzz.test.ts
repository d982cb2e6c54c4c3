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
import { hasShared } from "./support/shared.js";
import { treeFs } from "./support/tree-fs.js";

const seconds = Number(process.env["TSCOMPOSE_FUZZ_SECONDS"] ?? 20);
const seed = Number(process.env["TSCOMPOSE_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const SLOW_MS = 2000;

/** xorshift32: small, and the same everywhere. */
function generator(start: number): (below: number) => number {
  let state = start | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}

const TOKENS = [
  "${A:-${B}}",
  "${",
  "$$",
  "&a ",
  "*a",
  "<<: *a",
  "!reset ",
  "!override ",
  "!!binary x",
  "null",
  "[]",
  "{}",
  "- ",
  ": ",
  "\t",
  "'",
  '"',
  "|\n",
  ">-\n",
  "---\n",
  "0x1f",
  "1e999",
  "-1",
  "99999999999999999999",
  "__proto__",
  "constructor",
  "toString",
  "services",
  "extends: ",
  "include: ",
  "depends_on: ",
  "deploy: ",
  "ports: ",
  "volumes: ",
  "8000-9000:8000-9000",
  "[::1]:80:80",
  "a:b:c:d:e",
  "\u0000",
  "\u2028",
  "\ud83d",
  "é",
  "? ",
  "@",
  "`",
  "%",
  "x-a: ",
];

function mutate(text: string, other: string, pick: (below: number) => number): string {
  let result = text;
  for (let i = pick(4); i >= 0; i--) {
    const lines = result.split("\n");
    const at = pick(result.length);
    switch (pick(8)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + 1 + pick(8));
        break;
      case 1:
        result = result.slice(0, at) + (TOKENS[pick(TOKENS.length)] ?? "") + result.slice(at);
        break;
      case 2:
        lines.splice(pick(lines.length), 1 + pick(3));
        result = lines.join("\n");
        break;
      case 3:
        lines.splice(pick(lines.length), 0, lines[pick(lines.length)] ?? "");
        result = lines.join("\n");
        break;
      case 4: {
        const from = pick(lines.length);
        lines[from] = `${" ".repeat(pick(6))}${(lines[from] ?? "").trimStart()}`;
        result = lines.join("\n");
        break;
      }
      case 5: {
        const from = pick(lines.length);
        lines[from] = (lines[from] ?? "").replace(/:.*$/, `: ${TOKENS[pick(TOKENS.length)] ?? ""}`);
        result = lines.join("\n");
        break;
      }
      case 6: {
        const foreign = other.split("\n");
        lines.splice(pick(lines.length), 0, ...foreign.slice(pick(foreign.length)).slice(0, 5));
        result = lines.join("\n");
        break;
      }
      default:
        result = result.slice(0, at) + String.fromCharCode(pick(0x250)) + result.slice(at + 1);
    }
  }
  return result;
}

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
