/**
 * Spares crun the compilation of seccomp filters, two thirds of a create's time: what it compiled once for a section is kept until
 * the next boot and handed to later creates (annotation `run.oci.seccomp_bpf_data`, crun ≥ 0.18). The section stays in config.json,
 * so a runtime that does not know the annotation compiles it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import type { OciConfig } from "./oci/types.js";
import { runtimeRoot } from "./oci-runtime.js";
import type { RuntimeChoice } from "./record.js";

const ANNOTATION = "run.oci.seccomp_bpf_data";
const INSTRUCTION_BYTES = 8;
/** BPF_MAXINSNS of linux/bpf_common.h. */
const MAX_INSTRUCTIONS = 4096;

/** A config for a create, and what becomes of its seccomp section. */
export interface FilterUse {
  readonly config: OciConfig;
  /** Names the filter that this create compiles; undefined when there is none to keep. */
  readonly compiles: string | undefined;
}

type Context = Pick<EngineContext, "paths">;

/** The config with its compiled filter, if crun has made it before. */
export function useCompiledFilter(ctx: Context, choice: RuntimeChoice, config: OciConfig): FilterUse {
  const section = config.linux.seccomp;
  if (section === undefined || choice.name !== "crun") return { config, compiles: undefined };
  const { mtimeMs, size } = statSync(choice.path);
  const key = createHash("sha256")
    .update(JSON.stringify([section, choice.path, mtimeMs, size]))
    .digest("hex");
  const filter = readFilter(ctx, key);
  if (filter === undefined) return { config, compiles: key };
  return { config: { ...config, annotations: { ...config.annotations, [ANNOTATION]: filter } }, compiles: undefined };
}

/** Keeps what crun compiled for a container it has created; nothing when crun left no such file. */
export function keepCompiledFilter(ctx: Context, choice: RuntimeChoice, id: string, key: string): void {
  const target = join(folderOf(ctx), key);
  try {
    const filter = readFileSync(join(runtimeRoot(ctx, choice), id, "seccomp.bpf"));
    if (!isFilter(filter)) return;
    mkdirSync(folderOf(ctx), { recursive: true, mode: 0o700 });
    writeFileSync(`${target}.${id}`, filter, { mode: 0o600 });
    renameSync(`${target}.${id}`, target);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function folderOf(ctx: Context): string {
  return join(ctx.paths.runRoot, "seccomp");
}

function readFilter(ctx: Context, key: string): string | undefined {
  try {
    const filter = readFileSync(join(folderOf(ctx), key));
    return isFilter(filter) ? filter.toString("base64") : undefined;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isFilter(data: Buffer): boolean {
  return (
    data.length > 0 && data.length % INSTRUCTION_BYTES === 0 && data.length <= MAX_INSTRUCTIONS * INSTRUCTION_BYTES
  );
}
