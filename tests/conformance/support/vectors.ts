/** Plays one group of ../shared/conformance/vectors in this process; each function returns every case's outcome. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDotenv } from "../../../src/compose/env/dotenv.js";
import { substitute } from "../../../src/compose/env/template.js";
import { variablesOf } from "../../../src/compose/phases/interpolate.js";
import { mergeTrees } from "../../../src/compose/phases/merge.js";
import { normalize } from "../../../src/compose/phases/normalize.js";
import { removePath } from "../../../src/compose/phases/remove-path.js";
import { validateSchema } from "../../../src/compose/phases/schema.js";
import { parsePorts } from "../../../src/compose/phases/short-port.js";
import { parseVolume } from "../../../src/compose/phases/short-volume.js";
import { enforceUnicity } from "../../../src/compose/phases/unicity.js";
import type { Tree, TreeMap } from "../../../src/compose/tree.js";
import { cloneTree, isMap, newMap } from "../../../src/compose/tree.js";
import { parseYaml } from "../../../src/compose/yaml/parse.js";
import type { Outcome } from "./shared.js";
import { config, judge, optionsOf, SHARED } from "./shared.js";
import { treeFs } from "./tree-fs.js";

const VECTORS = join(SHARED, "vectors");
const APP = "/proj/app";

interface Case {
  readonly name: string;
  readonly expected?: unknown;
  readonly errorContains?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface FileCase extends Case {
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly stage: "merged" | "config";
  readonly fixtures?: string;
  readonly configArgs?: readonly string[];
  readonly expectedConfig?: unknown;
}

function read<T>(file: string): readonly T[] {
  // the vectors are published data with a documented shape
  return JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as T[];
}

const refusedBy = (one: Case) => ({ value: one.expected, refused: one.errorContains });

function run(one: Pick<FileCase, "files" | "fixtures" | "env">, args: readonly string[]): Promise<unknown> {
  const files = Object.fromEntries(Object.entries(one.files).map(([path, text]) => [join(APP, path), text]));
  const mounts: Record<string, string> = one.fixtures === undefined ? {} : { [APP]: join(VECTORS, one.fixtures) };
  return config({ cwd: APP, env: { HOME: "/home/u", ...one.env }, fs: treeFs(files, mounts), ...optionsOf(args) });
}

/** The merged tree before canonicalisation. */
function merged(one: FileCase): Tree {
  let tree = newMap();
  for (const file of optionsOf(one.args).files ?? []) {
    for (const document of parseYaml(one.files[file] ?? "", file).documents) {
      if (!isMap(document.tree)) continue;
      for (const path of document.resets) removePath(tree, path);
      tree = enforceUnicity(mergeTrees(tree, document.tree));
    }
  }
  return tree;
}

async function fileCases(file: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of read<FileCase>(file)) {
    outcomes.push(
      await judge(one.name, refusedBy(one), () => (one.stage === "merged" ? merged(one) : run(one, one.args))),
    );
    if (one.configArgs !== undefined) {
      const { configArgs } = one;
      outcomes.push(await judge(`${one.name} (config)`, { value: one.expectedConfig }, () => run(one, configArgs)));
    }
  }
  return outcomes;
}

interface ShortCase extends Case {
  readonly level: "parser" | "loader";
  readonly attribute: string;
  readonly input: Tree;
  readonly document?: Tree;
}

async function short(one: ShortCase): Promise<unknown> {
  if (one.attribute === "volumes[]") return parseVolume(String(one.input));
  if (one.attribute === "ports[]") return parsePorts(String(one.input));
  const document = one.document ?? { name: "t", services: { x: { image: "a", [one.attribute]: one.input } } };
  const tree = (await config(
    {
      cwd: APP,
      env: { HOME: "/home/u" },
      fs: treeFs({ [join(APP, "compose.yaml")]: JSON.stringify(document) }),
      noNormalize: true,
      noPathResolution: true,
      noConsistency: true,
      noEnvResolution: true,
      allResources: true,
    },
    true,
  )) as TreeMap;
  if (one.attribute.startsWith("/")) return tree[one.attribute.slice(1)] ?? null;
  const services = tree["services"] as TreeMap | undefined;
  const service = services?.["x"] as TreeMap | undefined;
  return service?.[one.attribute] ?? null;
}

interface TemplateCase extends Case {
  readonly template: string;
  readonly unsetWarnings?: number;
}

async function templates(): Promise<Outcome[]> {
  return await Promise.all(
    read<TemplateCase>("template.json").map(async (one) => {
      const unset: string[] = [];
      const lookup = (name: string) => one.env?.[name];
      const outcome = await judge(one.name, refusedBy(one), () =>
        substitute(one.template, lookup, { onUnset: (name) => unset.push(name) }),
      );
      if (outcome.why === "" && one.unsetWarnings !== undefined && one.unsetWarnings !== unset.length)
        return { name: one.name, why: `warned of ${unset.join(", ")}` };
      return outcome;
    }),
  );
}

interface VariablesCase extends Case {
  readonly input: Tree;
}
interface DotenvCase extends Case {
  readonly text: string;
  readonly lookupEnv: Readonly<Record<string, string>>;
  readonly preset?: Readonly<Record<string, string>>;
  readonly quirk?: string;
}
interface SchemaCase extends Case {
  readonly document: Tree;
  readonly valid: boolean;
}
interface NormalizeCase extends Case {
  readonly document: TreeMap;
  readonly env: Readonly<Record<string, string>>;
}
interface AttributeCase {
  readonly file: string;
  readonly needs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly next: { readonly args: readonly string[]; readonly exit: number; readonly stderr?: string };
}
interface EndToEndCase {
  readonly dir: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly compose_go_head_exit: number;
  readonly compose_go_head_stderr?: string;
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

async function attributes(): Promise<Outcome[]> {
  const folder = join(VECTORS, "attributes");
  return await Promise.all(
    read<AttributeCase>("attributes/index.json").map((one) => {
      const golden = join(folder, "golden-next", one.file.replace(/\.yaml$/, ".json"));
      const refused = one.next.exit === 0 ? undefined : (one.next.stderr ?? "");
      return judge(
        one.file,
        { value: refused === undefined && existsSync(golden) ? json(golden) : undefined, refused },
        () =>
          config({
            cwd: APP,
            env: { HOME: "/home/u", ...one.env },
            fs: treeFs({}, { [APP]: folder }),
            ...optionsOf(one.next.args),
          }),
      );
    }),
  );
}

async function endToEnd(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of read<EndToEndCase>("e2e/index.json")) {
    const real = join(VECTORS, "e2e", one.dir);
    const stem = one.file.replace(/\.ya?ml$/, "");
    const name = stem === "compose" && existsSync(join(real, "golden.next.json")) ? "golden" : stem;
    const candidates = [`${name}.golden.next.json`, `${name}.next.json`, `${name}.golden.json`, "golden.next.json"];
    const golden = (stem === "compose" ? ["golden.next.json", ...candidates] : candidates)
      .map((file) => join(real, file))
      .find((file) => existsSync(file));
    const refused = one.compose_go_head_exit === 0 ? undefined : (one.compose_go_head_stderr ?? "");
    if (refused === undefined && golden === undefined) {
      outcomes.push({ name: `${one.dir}/${one.file}`, why: "no golden" });
      continue;
    }
    const place = one.dir.replace(/^(?:testdata|fixtures)\//, "");
    const top = place.split("/")[0] ?? "";
    const root = join(VECTORS, "e2e", dirname(one.dir.slice(0, one.dir.length - place.length + 1)), top);
    outcomes.push(
      await judge(
        `${one.dir}/${one.file}`,
        { value: refused === undefined ? json(golden ?? "") : undefined, refused },
        () =>
          config({
            cwd: `/proj/${place}`,
            env: { HOME: "/home/u", ...one.env },
            fs: treeFs({}, { [`/proj/${top}`]: root }),
            ...optionsOf(one.args),
          }),
      ),
    );
  }
  return outcomes;
}

/** The groups by name. */
export const GROUPS: Readonly<Record<string, () => Promise<readonly Outcome[]>>> = {
  override: () => fileCases("override.json"),
  loader: () => fileCases("loader.json"),
  template: templates,
  variables: () =>
    Promise.all(
      read<VariablesCase>("variables.json").map((one) =>
        judge(one.name, refusedBy(one), () =>
          Object.fromEntries(
            [...variablesOf(one.input)].map(([name, variable]) => [
              name,
              {
                Name: variable.name,
                DefaultValue: variable.defaultValue,
                PresenceValue: variable.presenceValue,
                Required: variable.required,
              },
            ]),
          ),
        ),
      ),
    ),
  dotenv: () =>
    Promise.all(
      read<DotenvCase>("dotenv.json")
        .filter((one) => one.quirk === undefined)
        .map((one) =>
          judge(one.name, refusedBy(one), () =>
            Object.fromEntries(
              parseDotenv(one.text, (name) => one.lookupEnv[name], {
                preset: new Map(Object.entries(one.preset ?? {})),
              }),
            ),
          ),
        ),
    ),
  shortsyntax: () =>
    Promise.all(read<ShortCase>("shortsyntax.json").map((one) => judge(one.name, refusedBy(one), () => short(one)))),
  schema: () =>
    Promise.all(
      read<SchemaCase>("schema.json").map((one) =>
        judge(one.name, one.valid ? {} : { refused: one.errorContains ?? "" }, () =>
          validateSchema(cloneTree(one.document) as TreeMap, "compose.yaml", []),
        ),
      ),
    ),
  normalize: () =>
    Promise.all(
      read<NormalizeCase>("normalize.json").map((one) =>
        judge(one.name, refusedBy(one), () => normalize(cloneTree(one.document) as TreeMap, one.env)),
      ),
    ),
  attributes,
  e2e: endToEnd,
};
