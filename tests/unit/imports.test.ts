/** The direction of imports (DESIGN §3) over the real import graph. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";

const SRC = resolve(import.meta.dirname, "../../src");

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith(".ts") ? [path] : [];
  });
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\(\s*"([^"]+)"\s*\)/gm;

function importsOf(path: string): Import[] {
  const text = readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  return [...text.matchAll(STATEMENT)].map(([, type, fixed, lazy]) => {
    const target = fixed ?? lazy ?? "";
    const to = target.startsWith(".") ? relative(SRC, resolve(dirname(path), target)).replace(/\.js$/, ".ts") : target;
    return { from: relative(SRC, path), to, isTypeOnly: type !== undefined };
  });
}

const files = sources(SRC);
const graph = files.flatMap(importsOf);
const inner = graph.filter(({ to }) => to.endsWith(".ts"));
const area = (path: string) => path.split("/")[0] ?? "";
const part = (path: string) => path.split("/").slice(0, 2).join("/");
const show = (broken: readonly Import[]) => broken.map(({ from, to }) => `${from} -> ${to}`);

/** Small pure modules that others may take without the whole part; each must still be in use. */
const SHARED_PURE: readonly string[] = [
  // grammars that flags of `run` and rules of `watch` have in common with compose files and build contexts
  "compose/dotenv.ts",
  "compose/shell-words.ts",
  "compose/short-port.ts",
  "compose/short-volume.ts",
  "engine/build/dockerignore.ts",
  // every command looks for dead helpers without loading the network part
  "engine/network/damage.ts",
  // every command sees which containers must be watched without loading the reader of logs
  "engine/logs/options.ts",
  // `info` asks for the runtime's version without loading the runtime
  "engine/runtime/oci-runtime.ts",
];

/** What each area may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  cli: ["compose", "plan", "execute", "engine", "lib"],
  execute: ["plan", "engine", "compose", "lib"],
  plan: ["compose", "engine", "lib"],
  compose: ["lib"],
  engine: ["kernel", "lib"],
  kernel: ["lib"],
  lib: [],
};

describe("imports", () => {
  test("the graph is really read", () => {
    expect(files.length).toBeGreaterThan(150);
    expect(inner.length).toBeGreaterThan(400);
    const known = new Set(files.map((path) => relative(SRC, path)));
    // scripts/build-schemas.mjs writes the compiled validators
    expect(show(inner.filter(({ to }) => !known.has(to) && part(to) !== "compose/generated"))).toEqual([]);
  });

  test("no exception outlives its use", () => {
    const used = new Set(inner.filter(({ from, to }) => part(from) !== part(to)).map(({ to }) => to));
    expect(SHARED_PURE.filter((path) => !used.has(path))).toEqual([]);
  });

  test("areas import only what lies below them", () => {
    const broken = inner.filter(({ from, to }) => {
      if (area(from) === area(to)) return false;
      return !(ALLOWED[area(from)] ?? []).includes(area(to));
    });
    expect(show(broken)).toEqual([]);
  });

  test("plan takes only types of the engine", () => {
    const broken = inner.filter(
      ({ from, to, isTypeOnly }) => area(from) === "plan" && area(to) === "engine" && !isTypeOnly,
    );
    expect(show(broken)).toEqual([]);
  });

  test("plan and execute know compose by its model", () => {
    const broken = inner.filter(
      ({ from, to, isTypeOnly }) =>
        ["plan", "execute"].includes(area(from)) &&
        area(to) === "compose" &&
        !isTypeOnly &&
        to !== "compose/model.ts" &&
        to !== "compose/index.ts",
    );
    expect(show(broken)).toEqual([]);
  });

  test("engine parts talk through each other's index.ts", () => {
    const isFolder = (path: string) => path.split("/").length > 2;
    const broken = inner.filter(
      ({ from, to, isTypeOnly }) =>
        area(from) === "engine" &&
        area(to) === "engine" &&
        isFolder(to) &&
        part(from) !== part(to) &&
        !isTypeOnly &&
        !SHARED_PURE.includes(to) &&
        // the state's table functions are one file per part, on purpose
        !to.startsWith("engine/state/") &&
        !/^engine\/[a-z]+\/index\.ts$/.test(to),
    );
    expect(show(broken)).toEqual([]);
  });

  test("the program reaches the engine and the loader by their public faces", () => {
    const broken = inner.filter(
      ({ from, to, isTypeOnly }) =>
        area(from) === "cli" &&
        !isTypeOnly &&
        !SHARED_PURE.includes(to) &&
        ((area(to) === "engine" && to !== "engine/index.ts") || (area(to) === "compose" && to !== "compose/index.ts")),
    );
    expect(show(broken)).toEqual([]);
  });

  test("only src/kernel starts programs or loads native code", () => {
    const starters = graph.filter(({ from, to }) => to === "node:child_process" && area(from) !== "kernel");
    // running a program that is no helper of ours: a provider, a credential helper, a watch hook, an OCI runtime
    const elsewhere = starters.filter(({ from }) => !["engine", "execute"].includes(area(from)));
    expect(show(elsewhere)).toEqual([]);
    expect(show(graph.filter(({ to, from }) => to.endsWith(".node") && area(from) !== "kernel"))).toEqual([]);
  });

  test("only cli/main.ts reads the process or ends it", () => {
    const readers = files
      .filter((path) => relative(SRC, path) !== "cli/main.ts")
      .filter((path) => {
        const code = readFileSync(path, "utf8")
          .replace(/\/\*[\s\S]*?\*\//g, "")
          .replace(/(^|\s)\/\/.*$/gm, "")
          .replace(/`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/g, '""');
        return /\bprocess\.(?:argv|env|exit|exitCode|stdin|stdout|stderr)\b/.test(code);
      })
      .map((path) => relative(SRC, path));
    expect(readers).toEqual([]);
  });
});
