/**
 * The compose files of a project as they are written, for `publish`: read raw (nothing interpolated), local `extends` parents and env files
 * found and given names without local paths. Reads files; asks and prints nothing.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Document, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import { errnoOf, TscError } from "../../lib/errors.js";

/** A compose file or an `extends` parent, rewritten for others to use. */
export interface SourceFile {
  readonly path: string;
  readonly isParent: boolean;
  /** As in the artifact: the file's own name, or a hash for a parent. */
  readonly name: string;
  readonly text: string;
  /** The raw model, for checks. */
  readonly model: Readonly<Record<string, unknown>>;
}

/** The local files that an artifact is made of, each once; env files are sent with `--with-env` only. */
export interface Sources {
  readonly files: readonly SourceFile[];
  /** Env files that exist: local path to name in the artifact. */
  readonly envFiles: ReadonlyMap<string, string>;
}

/** Reads `paths` and everything local that they extend. TSC_PUBLISH_INCLUDE for a local include, which cannot be published. */
export async function readSources(paths: readonly string[], workingDir: string): Promise<Sources> {
  const files: SourceFile[] = [];
  const envFiles = new Map<string, string>();
  const queue = paths.map((path) => ({ path, isParent: false }));
  const seen = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { path, isParent } = next;
    if (seen.has(path)) continue;
    seen.add(path);
    if (path === "-") {
      throw new TscError("TSC_PUBLISH_STDIN", "a compose file from standard input cannot be published", {
        kind: "invalid-input",
      });
    }
    const documents = parseAllDocuments(await readFile(path, "utf8"), { merge: true });
    const list = Array.isArray(documents) ? documents : [];
    const base = isParent ? dirname(path) : workingDir;
    let isChanged = false;
    for (const document of list) {
      const [broken] = document.errors;
      if (broken !== undefined) {
        throw new TscError("TSC_COMPOSE_YAML", `${path}: ${broken.message.split("\n")[0] ?? ""}`, {
          kind: "invalid-input",
        });
      }
      refuseIncludes(document, path);
      for (const [service, reference] of references(document)) {
        const local = resolve(base, reference.text);
        if (!(await exists(local)) && reference.kind === "extends") continue;
        const hash = createHash("sha256").update(local).digest("hex");
        if (reference.kind === "extends") queue.push({ path: local, isParent: true });
        else if (await exists(local)) envFiles.set(local, `${hash}.env`);
        document.setIn(
          ["services", service, ...reference.at],
          `${hash}.${reference.kind === "extends" ? "yaml" : "env"}`,
        );
        isChanged = true;
      }
    }
    const raw = await readFile(path, "utf8");
    const models = list.map((document) => document.toJS({ maxAliasCount: 1000 }) as unknown);
    files.push({
      path,
      isParent,
      name: isParent
        ? `${createHash("sha256").update(path).digest("hex")}.yaml`
        : (path.split("/").at(-1) ?? "compose.yaml"),
      text: isChanged ? list.map(String).join("---\n") : raw,
      model: Object.assign({}, ...models.filter((model) => typeof model === "object" && model !== null)) as Record<
        string,
        unknown
      >,
    });
  }
  return { files, envFiles };
}

interface FileReference {
  readonly kind: "extends" | "env";
  readonly text: string;
  /** Below the service. */
  readonly at: readonly (string | number)[];
}

/** What services of one document refer to by a local path. */
function* references(document: Document): Generator<readonly [service: string, FileReference]> {
  const services = document.get("services");
  if (!isMap(services)) return;
  for (const { key, value } of services.items) {
    if (!isScalar(key) || !isMap(value)) continue;
    const service = String(key.value);
    const parent = value.getIn(["extends", "file"]);
    if (typeof parent === "string") yield [service, { kind: "extends", text: parent, at: ["extends", "file"] }];
    const files = value.get("env_file");
    if (typeof files === "string") yield [service, { kind: "env", text: files, at: ["env_file"] }];
    if (!isSeq(files)) continue;
    for (let index = 0; index < files.items.length; index++) {
      const item = files.get(index);
      if (typeof item === "string") yield [service, { kind: "env", text: item, at: ["env_file", index] }];
      else if (isMap(item)) {
        const path = item.get("path");
        if (typeof path === "string") yield [service, { kind: "env", text: path, at: ["env_file", index, "path"] }];
      }
    }
  }
}

function refuseIncludes(document: Document, path: string): void {
  const include = document.get("include");
  if (include === undefined || include === null) return;
  const text = JSON.stringify(isSeq(include) || isMap(include) ? include.toJSON() : include);
  if (/"(?!oci:\/\/|https?:\/\/|git@|ssh:\/\/)[^"]*\.ya?ml"/.test(text) || isLocalFolder(text)) {
    throw new TscError("TSC_PUBLISH_INCLUDE", "cannot publish compose file with local includes", {
      kind: "invalid-input",
      hint: `${path} includes files of this machine: merge them first with \`tscompose config\``,
    });
  }
}

function isLocalFolder(text: string): boolean {
  return /"\.{1,2}\/[^"]*"/.test(text);
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "EISDIR") return false;
    throw new TscError("TSC_PUBLISH_FILE", `failed to access ${path}`, { cause: error });
  }
}
