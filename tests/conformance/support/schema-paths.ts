/** Every place that the schema knows, each with the smallest document that has it: what generated tests put values into. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

type Schema = Readonly<Record<string, unknown>> | boolean;
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A place and the document around it; `document` is JSON text in which PLACE stands for the value. */
export interface SchemaPlace {
  /** As a person writes it: `services.x.env_file[].path`, `args{}` for the value of any key. */
  readonly path: string;
  readonly document: string;
}

/** What stands for the value in a document. */
export const PLACE = "@@PLACE@@";

const ROOT = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../../schemas/compose-spec.json"), "utf8")) as {
  readonly [key: string]: unknown;
};

/** Below this many levels a path only repeats shapes. */
const DEPTH = 9;

/** Attributes that need others beside them to be accepted at all. */
const COMPANIONS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  "services.x": { image: "a" },
  "services.x.volumes[]": { type: "volume", target: "/t" },
  "services.x.volumes[].bind": {},
  "services.x.ports[]": { target: 80 },
  "services.x.env_file[]": { path: "e.env", required: false },
  "services.x.develop.watch[]": { path: ".", action: "sync", target: "/t" },
  "services.x.build": { context: "." },
  "services.x.healthcheck": { test: ["CMD", "true"] },
  "services.x.extends": { service: "other" },
  "services.x.secrets[]": { source: "k" },
  "services.x.configs[]": { source: "k" },
  "services.x.build.secrets[]": { source: "k" },
  "services.x.devices[]": { source: "/dev/a", target: "/dev/a" },
  "include[]": { path: "more.yaml" },
  "services.x.provider": { type: "p" },
  "services.x.blkio_config.weight_device[]": { path: "/dev/a", weight: 10 },
  "services.x.deploy.resources.reservations.devices[]": { capabilities: ["gpu"] },
  "services.x.gpus[]": { capabilities: ["gpu"] },
  "services.x.depends_on{}": { condition: "service_started" },
  "services.x.pre_start[]": { command: ["true"] },
  "services.x.post_start[]": { command: ["true"] },
  "services.x.pre_stop[]": { command: ["true"] },
  "services.x.develop.watch[].exec": { command: ["true"] },
  "models{}": { model: "m" },
  "secrets{}": { file: "f" },
  "configs{}": { file: "f" },
};
const RATES = ["device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"];

function companions(path: string): Readonly<Record<string, Json>> {
  const rate = RATES.find((name) => path === `services.x.blkio_config.${name}[]`);
  return rate === undefined ? (COMPANIONS[path] ?? {}) : { path: "/dev/a", rate: 1 };
}

/** What is defined elsewhere has nothing of its own. */
const isExternal = (name: string): boolean => name === "external";

/** Keys of maps: names that the document defines. */
const KEYS: Readonly<Record<string, string>> = { "services.x.depends_on": "other", services: "x" };

/** All places in the order of the schema, each once. */
export function schemaPlaces(): readonly SchemaPlace[] {
  const places = new Map<string, SchemaPlace>();
  walk(ROOT, "", (value) => value, 0);
  return [...places.values()];

  function walk(schema: Schema | undefined, path: string, around: (value: Json) => Json, depth: number): void {
    if (typeof schema !== "object" || depth > DEPTH) return;
    if (path !== "" && !places.has(path)) places.set(path, { path, document: document(around(PLACE)) });
    const target = follow(schema);
    for (const key of ["anyOf", "oneOf", "allOf"])
      for (const one of listOf(target[key])) walk(one, path, around, depth);
    const properties = target["properties"] as Readonly<Record<string, Schema>> | undefined;
    for (const [name, inner] of Object.entries(properties ?? {})) {
      const below = path === "" ? name : `${path}.${name}`;
      walk(
        inner,
        below,
        (value) => around({ ...(isExternal(name) ? {} : companions(path)), [name]: value }),
        depth + 1,
      );
    }
    const patterns = target["patternProperties"] as Readonly<Record<string, Schema>> | undefined;
    const additional = target["additionalProperties"] as Schema | undefined;
    for (const inner of [...Object.values(patterns ?? {}), additional]) {
      const key = KEYS[path] ?? "k";
      const below = path === "services" ? "services.x" : `${path}{}`;
      walk(inner, below, (value) => around({ [key]: value }), depth + 1);
    }
    walk(target["items"] as Schema | undefined, `${path}[]`, (value) => around([value]), depth + 1);
  }
}

function follow(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return schema;
  const name = reference.replace("#/$defs/", "");
  const definitions = ROOT["$defs"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return follow({ ...schema, ...definitions[name], $ref: undefined });
}

/** The attributes among the places, as tables of the loader write them: `services.*.ports[].target`. */
export function schemaAttributes(): string[] {
  return schemaPlaces()
    .map(({ path }) => path.replace(/^services\.x\b/, "services.*").replaceAll("{}", ".*"))
    .filter((path) => !/(\*|\])$/.test(path));
}

const listOf = (value: unknown): readonly Schema[] => (Array.isArray(value) ? (value as Schema[]) : []);

/** What the places point at. */
const AROUND: Readonly<Record<string, Json>> = {
  networks: { k: {} },
  volumes: { k: {} },
  secrets: { k: { file: "f" } },
  configs: { k: { file: "f" } },
  models: { k: { model: "m" } },
};

/** The document with a second service to point at. */
function document(value: Json): string {
  const given = value as { readonly [key: string]: Json };
  const services = given["services"] ?? { x: { image: "a" } };
  return JSON.stringify({
    ...AROUND,
    ...given,
    services: typeof services === "string" ? services : { other: { image: "b" }, ...(services as object) },
  });
}

/** Files that places may name, by path in the project's folder. */
export const BESIDE: Readonly<Record<string, string>> = {
  "e.env": "A=1\n",
  f: "text\n",
  "more.yaml": "services: {more: {image: c}}\n",
};
