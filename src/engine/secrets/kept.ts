/**
 * What a container was given that is nobody's business: its environment and the content of its secrets and configs. Kept as files of
 * our own (0600 in a folder 0700) that go with the container, never in a row: bytes of a row outlive it in the database's free
 * pages and its log. A restart by the supervisor and a start after a reboot read them again.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { ContainerSpec, FileInjection } from "../types.js";

/** A spec without the environment and without content, as it stands in a row. */
export interface StoredSpec extends Omit<ContainerSpec, "env" | "files"> {
  readonly files?: readonly Omit<FileInjection, "content">[];
  /** An environment is kept beside the row. */
  readonly keepsEnv?: true;
}

/** What of a spec goes into files. */
export interface KeptParts {
  readonly env?: ContainerSpec["env"];
  /** Content by the index of its file. */
  readonly contents: ReadonlyMap<number, string>;
}

/** Divides a spec; `read` gives the content of a file that another container holds. */
export function splitSpec(
  id: string,
  spec: ContainerSpec,
  read: (held: NonNullable<FileInjection["held"]>) => string,
): { readonly stored: StoredSpec; readonly kept: KeptParts } {
  const { env, files, ...rest } = spec;
  const contents = new Map<number, string>();
  const storedFiles = files?.map(({ content, held, ...file }, index) => {
    const text = content ?? (held === undefined ? undefined : read(held));
    if (text === undefined) return file;
    contents.set(index, text);
    return { ...file, held: { container: id, index } };
  });
  const keepsEnv = env !== undefined && Object.keys(env).length > 0;
  return {
    stored: {
      ...rest,
      ...given({ files: storedFiles }),
      ...(keepsEnv ? { keepsEnv: true as const } : {}),
    },
    kept: { ...(keepsEnv ? { env } : {}), contents },
  };
}

const privateFolder = (folder: string): string => join(folder, "private");
const envFile = (folder: string): string => join(privateFolder(folder), "env.json");
const contentFile = (folder: string, index: number): string => join(privateFolder(folder), `file-${index}`);

/** Writes the parts below a container's folder; nothing when there are none. */
export function keepParts(folder: string, { env, contents }: KeptParts): void {
  if (env === undefined && contents.size === 0) return;
  mkdirSync(privateFolder(folder), { recursive: true, mode: 0o700 });
  if (env !== undefined) writeFileSync(envFile(folder), JSON.stringify(env), { mode: 0o600 });
  for (const [index, text] of contents) writeFileSync(contentFile(folder, index), text, { mode: 0o600 });
}

/** A container's environment; nothing when it has none, is just being made or removed, or the file is damaged: `ps` must go on. */
export function keptEnv(folder: string, stored: Pick<StoredSpec, "keepsEnv">): Pick<ContainerSpec, "env"> {
  if (stored.keepsEnv !== true) return {};
  const text = read(envFile(folder))?.toString();
  if (text === undefined) return {};
  try {
    return { env: JSON.parse(text) as Record<string, string | null> };
  } catch {
    return {};
  }
}

/** Like `keptEnv` for a start, which nothing may be missing from: `TSC_CONTAINER_KEPT`. */
export function requiredEnv(folder: string, stored: Pick<StoredSpec, "name" | "keepsEnv">): Pick<ContainerSpec, "env"> {
  const kept = keptEnv(folder, stored);
  if (stored.keepsEnv === true && kept.env === undefined) throw damaged(stored.name, "environment");
  return kept;
}

/** The content of one file of a container. `TSC_CONTAINER_KEPT` when it is gone. */
export function keptContent(folder: string, index: number, target: string): Buffer {
  const data = read(contentFile(folder, index));
  if (data === undefined) throw damaged(target, "content");
  return data;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Without a cause: what could not be read is not for error output either. */
function damaged(name: string, what: string): TscError {
  return new TscError("TSC_CONTAINER_KEPT", `${name}: its ${what} is missing from the store`, {
    kind: "not-found",
    hint: "make the container anew (`up --force-recreate`)",
    exitCode: 125,
  });
}
