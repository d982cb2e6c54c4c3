/** The shape of the sources: faces without a body, files and functions of a size that one can read. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Node, parseSync, Visitor } from "oxc-parser";

const SRC = resolve(import.meta.dirname, "../../src");

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
  "engine/network/rootless-site.ts rootlessSite",
  "engine/network/steps.ts createSteps",
  "engine/network/uplink.ts uplinkProcess",
  "kernel/fake.ts fakeKernel",
];

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
    expect(withBody.map(([path]) => path)).toEqual([]);
  });

  test("no file is longer than 300 lines", () => {
    expect(sources.filter(({ text }) => lines(text) > 300).map(({ path }) => path)).toEqual([]);
  });

  test("no function is longer than 100 lines", () => {
    const long = [...bodies].flatMap(([path, { functions }]) =>
      functions.filter((body) => body.lines > 100).map(({ name }) => `${path} ${name}`),
    );
    expect(long.toSorted()).toEqual(LONG_FUNCTIONS);
  });

  test("no function takes more than six parameters: a request object names them", () => {
    const wide = [...bodies].flatMap(([path, { functions }]) =>
      functions.filter(({ parameters }) => parameters > 6).map(({ name }) => `${path} ${name}`),
    );
    expect(wide).toEqual([]);
  });
});
