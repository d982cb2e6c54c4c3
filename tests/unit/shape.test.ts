/** The shape of the sources: faces without a body, files and functions of a size that one can read. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Node, parseSync, Visitor } from "oxc-parser";

const SRC = resolve(import.meta.dirname, "../../src");

/** Files that are better whole, or whose parts are elsewhere. */
const LONG_FILES: readonly string[] = [
  // the types of the whole model, one after the other as the specification has them
  "compose/model.ts",
  "compose/phases/bind.ts",
  "compose/yaml/parse.ts",
  "engine/network/reserve.ts",
];

/** Functions over 100 lines: closures over a context that are no files of functions yet. */
const LONG_FUNCTIONS: readonly string[] = [
  "cli/open-context.ts openContext",
  "engine/images/registry/http.ts createHttpClient",
  "engine/images/registry/session.ts openSession",
  "engine/network/attach.ts createAttach",
  "engine/network/dns.ts createDns",
  "engine/network/firewall.ts createFirewall",
  "engine/network/live-change.ts createLiveChange",
  "engine/network/networks.ts createNetworkStore",
  "engine/network/reserve.ts (function)",
  "engine/network/reserve.ts reserve",
  "engine/network/rootless-site.ts rootlessSite",
  "engine/network/steps.ts createSteps",
  "engine/network/uplink.ts uplinkProcess",
  "kernel/fake.ts fakeKernel",
];

/** Functions with more than six parameters. */
const WIDE_FUNCTIONS: readonly string[] = ["compose/phases/extends.ts extend"];

/** Faces that still have a body. */
const FACES_WITH_BODY: readonly string[] = [
  "compose/attributes/index.ts",
  "compose/check/index.ts",
  "engine/network/index.ts",
  "plan/service-spec/index.ts",
  "plan/up/writers/index.ts",
];

/** What is not on a list; the lists only ever lose lines. */
const beyond = (list: readonly string[], found: readonly string[]): string[] =>
  found.filter((one) => !list.includes(one)).toSorted();

interface Source {
  readonly path: string;
  readonly text: string;
}

const sources: readonly Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => !path.includes("/compose/generated/"))
  .map((path) => ({ path: relative(SRC, path), text: readFileSync(path, "utf8") }));

const lines = (text: string): number => text.trimEnd().split("\n").length;

interface FunctionShape {
  readonly name: string;
  readonly lines: number;
  readonly parameters: number;
}

/** Every function and class of a file; anonymous functions are called after what they are given to. */
function bodiesOf({ path, text }: Source): { functions: FunctionShape[]; classes: number } {
  const functions: FunctionShape[] = [];
  let classes = 0;
  const note = (node: Node & { readonly id?: unknown; readonly params: readonly unknown[] }): void => {
    const { id } = node as { readonly id?: { readonly name?: string } | null };
    functions.push({
      name: id?.name ?? "(function)",
      lines: lines(text.slice(node.start, node.end)),
      parameters: node.params.length,
    });
  };
  const { program, errors } = parseSync(path, text);
  expect(errors).toEqual([]);
  new Visitor({
    FunctionDeclaration: note,
    FunctionExpression: note,
    ArrowFunctionExpression: note,
    ClassDeclaration: () => {
      classes++;
    },
  }).visit(program);
  return { functions, classes };
}

const bodies = new Map(sources.map((source) => [source.path, bodiesOf(source)]));

describe("shape", () => {
  test("the sources are really read", () => {
    expect(sources.length).toBeGreaterThan(600);
    expect([...bodies.values()].flatMap(({ functions }) => functions).length).toBeGreaterThan(3000);
  });

  test("an index.ts exports and has no body: no function, no class", () => {
    const withBody = [...bodies]
      .filter(([path]) => basename(path) === "index.ts")
      .filter(([, { functions, classes }]) => functions.length + classes > 0);
    expect(
      beyond(
        FACES_WITH_BODY,
        withBody.map(([path]) => path),
      ),
    ).toEqual([]);
  });

  test("no file is longer than 300 lines", () => {
    const long = sources.filter(({ text }) => lines(text) > 300);
    expect(
      beyond(
        LONG_FILES,
        long.map(({ path }) => path),
      ),
    ).toEqual([]);
  });

  test("no function is longer than 100 lines", () => {
    const long = [...bodies].flatMap(([path, { functions }]) =>
      functions.filter((body) => body.lines > 100).map(({ name }) => `${path} ${name}`),
    );
    expect(beyond(LONG_FUNCTIONS, long)).toEqual([]);
  });

  test("no function takes more than six parameters: a request object names them", () => {
    const wide = [...bodies].flatMap(([path, { functions }]) =>
      functions.filter(({ parameters }) => parameters > 6).map(({ name }) => `${path} ${name}`),
    );
    expect(beyond(WIDE_FUNCTIONS, wide)).toEqual([]);
  });
});
