/** Files of a project: secrets and configs, where they are declared and where they are used; files of variables. */
import { structOf } from "./kinds.js";
import type { Extensible, StringMap } from "./values.js";

/** A secret or config used by a service or a build. */
export interface FileReference extends Extensible {
  readonly source?: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Octal with a leading zero, `"0440"`. */
  readonly mode?: string;
}

/** How a use of a secret or config is read. */
export const FILE_REFERENCE = structOf<FileReference>({
  source: "string",
  target: "string",
  uid: "string",
  gid: "string",
  mode: "mode!",
});

/** A top-level secret or config. */
export interface FileObject extends Extensible {
  readonly name?: string;
  readonly file?: string;
  readonly environment?: string;
  /** `configs` only; for both, the value of `environment` is resolved here but never printed by `config` for secrets. */
  readonly content?: string;
  readonly external?: boolean;
  readonly labels?: StringMap;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly template_driver?: string;
}

/** How a declared secret or config is read. */
export const FILE_OBJECT = structOf<FileObject>({
  name: "string",
  file: "string",
  environment: "string",
  content: "string",
  external: "bool",
  labels: "map",
  driver: "string",
  driver_opts: "map",
  template_driver: "string",
});

/** An entry of `env_file`, its path absolute. Missing, it is an error unless `required` is false; `format: raw` expands nothing. */
export interface EnvFile {
  readonly path: string;
  readonly required?: boolean;
  readonly format?: string;
}

/** How an entry of `env_file` is read. */
export const ENV_FILE = structOf<EnvFile>({
  path: "string!",
  required: "true-by-default",
  format: "string",
});
