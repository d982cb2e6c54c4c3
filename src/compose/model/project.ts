/** A loaded project. */
import { FILE_OBJECT, type FileObject } from "./files.js";
import { type Attribute, attributesOf, type Struct, structOf } from "./kinds.js";
import { NETWORK, type NetworkConfig } from "./networks.js";
import { SERVICE, type Service } from "./service.js";
import type { Extensible, StringMap } from "./values.js";
import { VOLUME_CONFIG, type VolumeConfig } from "./volumes.js";

/** A declared AI model. It is read and printed; a service that uses one is refused by the plan (`attributes/limits.ts`). */
export interface ModelConfig extends Extensible {
  readonly name?: string;
  readonly model: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}

const MODEL = structOf<ModelConfig>({
  name: "string",
  model: "string",
  context_size: "int",
  runtime_flags: "strings",
});

/** What `config` prints: the part of a project that comes from the files. */
export interface ProjectConfig extends Extensible {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, NetworkConfig>>;
  readonly volumes: Readonly<Record<string, VolumeConfig>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, ModelConfig>>;
}

/** The sections of a project, each a map of named entries, and how an entry is read. */
export const SECTIONS = {
  services: SERVICE,
  networks: NETWORK,
  volumes: VOLUME_CONFIG,
  secrets: FILE_OBJECT,
  configs: FILE_OBJECT,
  models: MODEL,
} as const satisfies Readonly<Record<Exclude<keyof ProjectConfig, "name" | `x-${string}`>, Struct>>;

/** Every attribute of every entry, by the path of its place: `services.*.ports[].target`. */
export const ATTRIBUTES: readonly Attribute[] = Object.entries(SECTIONS).flatMap(([section, struct]) =>
  attributesOf(struct, `${section}.*`),
);

/** A warning met while loading; `code` is stable. */
export interface LoadWarning {
  readonly code: string;
  readonly message: string;
  /** Where in the tree, when it is about one value; `Project.locate` turns it into a place. */
  readonly path?: readonly (string | number)[];
}

/** Line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A loaded project: its configuration and how it was found. Immutable; functions return changed copies. */
export interface Project extends ProjectConfig {
  /** Absolute; relative paths of the files were resolved against it. */
  readonly workingDir: string;
  /** Absolute paths, in the order they were merged (`-` for standard input). */
  readonly configFiles: readonly string[];
  /** Absolute paths of the `.env` files read. */
  readonly envFiles: readonly string[];
  /** Process environment, `.env` files and COMPOSE_PROJECT_NAME: what interpolation and bare keys see. */
  readonly environment: StringMap;
  readonly profiles: readonly string[];
  /** Services whose profiles are not active or that were not selected. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  readonly warnings: readonly LoadWarning[];
  /** Where a value was written, by its path in the merged model; undefined for what was not written. Parses lazily. */
  readonly locate: (path: readonly (string | number)[]) => Position | undefined;
}
