/** How an image is built, and what is watched while it is developed. */
import { FILE_REFERENCE, type FileReference } from "./files.js";
import { HOOK, type Hook } from "./hooks.js";
import { structOf } from "./kinds.js";
import type { Environment, Extensible, SoftHard, StringMap } from "./values.js";

/** `build` of a service. `dockerfile` is relative to `context` unless absolute, `shm_size` a decimal string of bytes. */
export interface Build extends Extensible {
  /** Absolute path or a remote URL. */
  readonly context?: string;
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly entitlements?: readonly string[];
  readonly args?: Environment;
  readonly provenance?: string;
  readonly sbom?: string;
  /** `id` or `id=path` entries. */
  readonly ssh?: readonly string[];
  readonly labels?: StringMap;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache?: boolean;
  readonly no_cache_filter?: readonly string[];
  /** Name to path, URL, `docker-image://…` or `service:name`. */
  readonly additional_contexts?: StringMap;
  readonly pull?: boolean;
  readonly extra_hosts?: readonly string[];
  readonly isolation?: string;
  readonly network?: string;
  readonly target?: string;
  readonly secrets?: readonly FileReference[];
  readonly shm_size?: string;
  readonly tags?: readonly string[];
  readonly ulimits?: Readonly<Record<string, number | SoftHard>>;
  readonly platforms?: readonly string[];
  readonly privileged?: boolean;
}

/** How a build is read. */
export const BUILD = structOf<Build>({
  context: "string",
  dockerfile: "string",
  dockerfile_inline: "string",
  entitlements: "strings",
  args: "environment",
  provenance: "string",
  sbom: "string",
  ssh: "ssh",
  labels: "map",
  cache_from: "strings",
  cache_to: "strings",
  no_cache: "bool",
  no_cache_filter: "strings",
  additional_contexts: "map",
  pull: "bool",
  extra_hosts: "hosts",
  isolation: "string",
  network: "string",
  target: "string",
  secrets: { list: FILE_REFERENCE },
  shm_size: "bytes",
  tags: "strings",
  ulimits: "ulimits",
  platforms: "strings",
  privileged: "bool",
});

/** `develop` of a service, for `watch` and `up --watch`. */
export interface Develop extends Extensible {
  readonly watch?: readonly WatchTrigger[];
}

/** What a change below `path` (absolute, links resolved) does to the service; `exec` has no command unless one was written. */
export interface WatchTrigger extends Extensible {
  readonly path: string;
  readonly action: "rebuild" | "sync" | "restart" | "sync+restart" | "sync+exec";
  readonly target?: string;
  readonly exec: Hook;
  readonly include?: readonly string[];
  readonly ignore?: readonly string[];
  readonly initial_sync?: boolean;
}

const WATCH = structOf<WatchTrigger>({
  path: "string",
  action: "string",
  target: "string",
  exec: { always: HOOK },
  include: "strings",
  ignore: "strings",
  initial_sync: "bool",
});

/** How `develop` is read. */
export const DEVELOP = structOf<Develop>({
  watch: { list: WATCH },
});
