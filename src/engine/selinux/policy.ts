/** What SELinux is on this host: whether a policy is loaded, and whether it knows containers. Reads the kernel; changes nothing. */
import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { processFile, SELINUX_FILES, textOf } from "../../kernel/proc.js";
import { errnoOf } from "../../lib/errors.js";
import { type ContainerContexts, type Labels, sharedLabel } from "./context.js";

/** Of policies that come without lxc_contexts(5). */
const USUAL: ContainerContexts = {
  process: "system_u:system_r:container_t:s0",
  file: "system_u:object_r:container_file_t:s0",
  readOnlyFile: "system_u:object_r:container_ro_file_t:s0",
};

/** A loaded policy. */
export interface SelinuxPolicy extends ContainerContexts {
  readonly isEnforcing: boolean;
  /** Why containers can have no label; undefined when they can. */
  readonly lacks?: string;
}

let known: { readonly policy: SelinuxPolicy | undefined } | undefined;

/** The policy of this boot, read once per process; undefined without SELinux, and before a policy is loaded. */
export function selinuxPolicy(): SelinuxPolicy | undefined {
  known ??= { policy: readPolicy() };
  return known.policy;
}

/** The policy when it gives containers labels. */
export function labellingPolicy(): SelinuxPolicy | undefined {
  const policy = selinuxPolicy();
  return policy?.lacks === undefined ? policy : undefined;
}

function readPolicy(): SelinuxPolicy | undefined {
  if (!existsSync(join(SELINUX_FILES, "enforce"))) return undefined;
  // "kernel" until a policy is loaded
  if (!ownLabel().includes(":")) return undefined;
  const name = /^\s*SELINUXTYPE\s*=\s*([\w.-]+)/m.exec(read("/etc/selinux/config") ?? "")?.[1] ?? "targeted";
  const contexts = lxcContexts(read(`/etc/selinux/${name}/contexts/lxc_contexts`) ?? "");
  const isEnforcing = read(join(SELINUX_FILES, "enforce")) === "1";
  const unknown = [contexts.process, contexts.file].find((context) => !knowsContext(context));
  return {
    ...contexts,
    isEnforcing,
    ...(unknown === undefined ? {} : { lacks: `the policy ${name} does not know ${unknown}` }),
  };
}

/** `process`, `file` and `ro_file` of lxc_contexts(5). */
export function lxcContexts(text: string): ContainerContexts {
  const value = (key: string): string | undefined =>
    new RegExp(`^\\s*${key}\\s*=\\s*"?([^"\\n]+?)"?\\s*$`, "m").exec(text)?.[1];
  return {
    process: value("process") ?? USUAL.process,
    file: value("file") ?? USUAL.file,
    readOnlyFile: value("ro_file") ?? USUAL.readOnlyFile,
  };
}

/** Whether the loaded policy takes a context: its type is known, its user may have its role, its role its type. */
export function knowsContext(context: string): boolean {
  return ask("context", `${context}\0`) !== undefined;
}

/**
 * Whether a container with that label may write to the pipes of a conmon that we start: where the policy says no, its output is lost, and the
 * kernel tells nobody but its log.
 */
export function mayWriteToUs(label: string, conmon: string | undefined): boolean {
  const own = ownLabel();
  const started = conmon === undefined ? own : (ask("create", `${own} ${conmon} ${classIndex("process")}`) ?? own);
  const [allowed = "0"] = (ask("access", `${label} ${started} ${classIndex("fifo_file")}`) ?? "").split(" ");
  const bit = Number(read(join(SELINUX_FILES, "class/fifo_file/perms/write")) ?? "0");
  return bit > 0 && ((Number.parseInt(allowed, 16) >>> (bit - 1)) & 1) === 1;
}

function classIndex(name: string): string {
  return read(join(SELINUX_FILES, "class", name, "index")) ?? "0";
}

/** The answer of one of selinuxfs's files; undefined for a question that it does not take. */
function ask(file: string, question: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(join(SELINUX_FILES, file), "r+");
    writeSync(fd, question);
    const answer = Buffer.alloc(4096);
    return answer.toString("utf8", 0, readSync(fd, answer, 0, answer.length, null)).replace(/\0.*$/s, "");
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The label of this process; `kernel` until a policy is loaded, empty without a module that has labels. */
function ownLabel(): string {
  return (processFile("self", "attr/current") ?? "").replace(/\0.*$/s, "").trim();
}

function read(path: string): string | undefined {
  return textOf(path)?.replace(/\0.*$/s, "").trim();
}

/** What a mount of a container's files is labelled now; undefined where there are no labels. */
export function mountLabel(labels: Labels | undefined): string | undefined {
  return labellingPolicy() === undefined ? undefined : labels?.mount;
}

/** The label of layers: what is mapped into memory is looked at below the mount too. Undefined where there are no labels. */
export function layerLabel(): string | undefined {
  const policy = labellingPolicy();
  if (policy === undefined) return undefined;
  return knowsContext(policy.readOnlyFile) ? policy.readOnlyFile : sharedLabel(policy.file);
}

/** The label of what every container may use; undefined where there are no labels. */
export function labelForAll(): string | undefined {
  const policy = labellingPolicy();
  return policy === undefined ? undefined : sharedLabel(policy.file);
}
