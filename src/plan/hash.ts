/**
 * Config hashes, equal to docker compose's: SHA-256 over the JSON its Go structs give. The order is that of the model's tables; the fields
 * left out stand here. Must not look at anything but the configuration.
 */
import { createHash } from "node:crypto";
import type { Field, Struct } from "../compose/model/kinds.js";
import { SECTIONS } from "../compose/model/project.js";
import type { FileObject, NetworkConfig, Project, Service, VolumeConfig } from "../compose/model.js";
import { goJson } from "../lib/go-json.js";

/** A Go value's shape: fields in the order of the struct, a list of a shape, a map of a shape, or anything. */
type Shape =
  | { readonly kind: "struct"; readonly fields: readonly (readonly [name: string, shape: Shape])[] }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "map"; readonly of: Shape }
  | { readonly kind: "any" };

const any: Shape = { kind: "any" };

/** What does not make a container differ, and what the reference leaves out of the hash. */
const EXCLUDED = new Set(["build", "pull_policy", "scale", "depends_on", "profiles", "deploy.replicas"]);

/** A number, or a pair of them: the reference's struct has a field for the number too. */
const PAIR: Shape = {
  kind: "struct",
  fields: [
    ["single", any],
    ["soft", any],
    ["hard", any],
  ],
};

/** A struct of the model's table, without what is excluded. `at` is the path of the struct, "" at the top. */
function shapeOf(fields: Struct, at = ""): Shape {
  const kept = fields.filter(({ name }) => !EXCLUDED.has(`${at}${name}`));
  return { kind: "struct", fields: kept.map((field) => [field.name, shapeOfField(field, at)]) };
}

function shapeOfField({ name, kind, struct }: Field, at: string): Shape {
  if (kind === "ulimits") return { kind: "map", of: PAIR };
  if (struct === undefined) return any;
  const of = shapeOf(struct, `${at}${name}.`);
  return kind === "structs" ? { kind: "list", of } : kind === "map-of-structs" ? { kind: "map", of } : of;
}

const service = shapeOf(SECTIONS.services);
const network = shapeOf(SECTIONS.networks);
const volume = shapeOf(SECTIONS.volumes);

/** 64 hex digits; what `config --hash` prints and containers carry as `com.docker.compose.config-hash`. */
export function serviceHash(config: Service): string {
  return sha256(goJson(ordered(config, service)));
}

/** The hash on networks. */
export function networkHash(config: NetworkConfig): string {
  return sha256(goJson(ordered(config, network)));
}

/** The hash on volumes; the driver that is meant when none is written counts. */
export function volumeHash(config: VolumeConfig): string {
  return sha256(goJson(ordered({ ...config, driver: config.driver ?? "local" }, volume)));
}

/**
 * Digest of the inline configs and secrets a service uses (`content`, `environment`), or "" when it has none: their text is
 * not part of the service, yet a change must recreate the container that got the old text.
 */
export function filesHash(project: Project, config: Service): string {
  const parts: string[] = [];
  for (const [kind, references, objects] of [
    ["config", config.configs, project.configs],
    ["secret", config.secrets, project.secrets],
  ] as const) {
    for (const reference of references ?? []) {
      const content = inlineContent(project, objects[reference.source ?? ""]);
      if (content !== undefined) parts.push(JSON.stringify([kind, reference.source, content]));
    }
  }
  return parts.length === 0 ? "" : sha256(parts.join("\n"));
}

/** The text of an inline config or secret; undefined for a file and for an unset variable. */
export function inlineContent(project: Project, object: FileObject | undefined): string | undefined {
  if (object === undefined) return undefined;
  if (object.content !== undefined) return object.content;
  return object.environment === undefined ? undefined : project.environment[object.environment];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The value with struct fields in order and map keys sorted by bytes. */
function ordered(value: unknown, shape: Shape): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => ordered(item, shape.kind === "list" ? shape.of : any));
  if (shape.kind === "struct") {
    const given = value as Readonly<Record<string, unknown>>;
    const present = shape.fields.filter(([name]) => given[name] !== undefined);
    return new Map(present.map(([name, of]) => [name, ordered(given[name], of)]));
  }
  const of = shape.kind === "map" ? shape.of : any;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return new Map(entries.map(([key, item]) => [key, ordered(item, of)]));
}
