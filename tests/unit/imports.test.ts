/** The direction of imports (DESIGN §3) over the real import graph. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { DRIVERS } from "../../src/engine/network/drivers/index.js";

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
  "compose/env/dotenv.ts",
  // one wording for what several layers find out
  "compose/no-such-service.ts",
  "compose/phases/shell-words.ts",
  "compose/phases/short-port.ts",
  "compose/phases/short-volume.ts",
  "engine/builder/dockerignore.ts",
  // every command looks for dead helpers without loading the network part
  "engine/network/damage.ts",
  // `check` and the help of `network create` know the drivers without loading the network part
  "engine/network/drivers/index.ts",
  // `check` asks the kernel one setting without loading the engine
  "engine/port-start.ts",
  // every command sees which containers must be watched without loading the reader of logs
  "engine/logs/options.ts",
  // `info` asks for the runtime's version without loading the runtime
  "engine/runtime/oci-runtime.ts",
  // `inspect` shows the paths that are hidden
  "engine/runtime/oci/security.ts",
  // and by which containers a spec names others, whose ids it shows
  "engine/sharing.ts",
];

/** What of compose is about the model alone: plan takes it without the loader. */
const ABOUT_THE_MODEL: readonly string[] = [
  "compose/attributes/index.ts",
  "compose/no-such-service.ts",
  "compose/references.ts",
  "compose/model/project.ts",
];

/** What of the engine is about its vocabulary alone, pure as types are. */
const ABOUT_THE_VOCABULARY: readonly string[] = ["engine/network/drivers/index.ts", "engine/sharing.ts"];

/** What each area may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  cli: ["project", "compose", "plan", "execute", "engine", "lib"],
  project: ["compose", "plan", "execute", "engine", "lib"],
  execute: ["plan", "engine", "compose", "lib"],
  plan: ["compose", "engine", "lib"],
  compose: ["lib"],
  engine: ["kernel", "lib"],
  kernel: ["lib"],
  lib: [],
};

/** These name places of a container, not of the host. */
const INSIDE_CONTAINERS: readonly string[] = [
  "engine/builder/placeholders.ts",
  "engine/runtime/oci/mounts.ts",
  "engine/runtime/oci/security.ts",
  "engine/runtime/targets.ts",
];

/** These say a word that is a network driver's name, and mean something else. */
const NO_DRIVERS: readonly string[] = [
  // the command `bridge`
  "cli/commands/bridge.ts",
  // docker's `network_mode` and `--network`, in which `bridge` is a container with networks of its own
  "cli/container-flags.ts",
  "cli/dry-run.ts",
  "cli/render/inspect-host-config.ts",
  "cli/table.ts",
  "engine/builder/entitlements.ts",
  // kinds of hops: the bridge of a network, the host's own socket
  "engine/network/trace-types.ts",
  "plan/service-spec/networking.ts",
];

/** Files whose text, comments left out, is such. */
function readersOf(isSuch: (code: string) => boolean): string[] {
  return files
    .filter((path) => !path.includes("/compose/generated/"))
    .filter((path) => isSuch(readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|(?:^|\s)\/\/.*$/gm, "")))
    .map((path) => relative(SRC, path))
    .toSorted();
}

/** Files that reach one another, a line for each such knot (Tarjan's strongly connected components). */
function circles(edges: readonly Import[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const order = new Map<string, number>();
  const stack: string[] = [];
  const knots: string[] = [];
  const visit = (file: string): number => {
    let low = order.size;
    order.set(file, low);
    const mine = low;
    stack.push(file);
    for (const { to } of next.get(file) ?? []) {
      if (!order.has(to)) low = Math.min(low, visit(to));
      else if (stack.includes(to)) low = Math.min(low, order.get(to) ?? low);
    }
    if (low === mine) {
      const knot = stack.splice(stack.indexOf(file));
      if (knot.length > 1) knots.push(knot.toSorted().join(" "));
    }
    return low;
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return knots;
}

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
    const exceptions = [...SHARED_PURE, ...ABOUT_THE_MODEL, ...ABOUT_THE_VOCABULARY];
    expect(exceptions.filter((path) => !used.has(path))).toEqual([]);
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
      ({ from, to, isTypeOnly }) =>
        area(from) === "plan" && area(to) === "engine" && !isTypeOnly && !ABOUT_THE_VOCABULARY.includes(to),
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
        to !== "compose/index.ts" &&
        !ABOUT_THE_MODEL.includes(to),
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
    const starters = graph.filter(({ to, isTypeOnly }) => to === "node:child_process" && !isTypeOnly);
    expect(show(starters.filter(({ from }) => area(from) !== "kernel"))).toEqual([]);
    // programs that are no helpers of ours: git, a provider, a credential helper
    expect(show(graph.filter(({ to }) => to === "execa"))).toEqual(["lib/program.ts -> execa"]);
    expect(show(graph.filter(({ to, from }) => to.endsWith(".node") && area(from) !== "kernel"))).toEqual([]);
  });

  test("no circle of files, types and lazy imports included", () => {
    expect(circles(inner)).toEqual([]);
    const edge = (from: string, to: string) => ({ from, to, isTypeOnly: false });
    expect(circles([edge("a", "b"), edge("b", "c"), edge("c", "b"), edge("c", "d")])).toEqual(["b c"]);
  });

  test("only engine/state asks the database", () => {
    const asking = /["`]\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|CREATE|ALTER|DROP)\s/;
    const elsewhere = readersOf((code) => asking.test(code)).filter((path) => part(path) !== "engine/state");
    expect(elsewhere).toEqual([]);
  });

  test("only src/kernel names files of the host's /proc and /sys", () => {
    const naming = /["`]\/(?:proc|sys)(?:\/[^"`\s]*)?["`]/;
    const elsewhere = readersOf((code) => naming.test(code)).filter((path) => area(path) !== "kernel");
    expect(elsewhere).toEqual(INSIDE_CONTAINERS);
  });

  test("only engine/network/drivers names a network driver", () => {
    const made = DRIVERS.map(({ name }) => name).join("|");
    // `kind` is a container's network mode, a union that the compiler holds
    const naming = new RegExp(`(?<!\\bkind(?:: | === | !== ))["'\`](?:${made})["'\`]`);
    const elsewhere = readersOf((code) => naming.test(code)).filter(
      (path) => !path.startsWith("engine/network/drivers/"),
    );
    expect(elsewhere).toEqual(NO_DRIVERS);
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
