/** Finding a container by what people call it, and locking it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileLock } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { containerLabels } from "../labels.js";
import { type ContainerRow, containerById, containerByName, containersByPrefix } from "../state/containers.js";
import type { OciConfig } from "./oci/types.js";

/** By id, name or unique id prefix. `TSC_CONTAINER_NOT_FOUND`, `TSC_CONTAINER_AMBIGUOUS`. */
export function findContainer(ctx: Pick<EngineContext, "state">, reference: string): ContainerRow {
  const exact = containerById(ctx.state, reference) ?? containerByName(ctx.state, reference.replace(/^\//, ""));
  if (exact !== undefined) return exact;
  const [first, second] = containersByPrefix(ctx.state, reference);
  if (second !== undefined) {
    throw new TscError("TSC_CONTAINER_AMBIGUOUS", `several containers begin with ${reference}`, {
      kind: "invalid-input",
      hint: "give more digits of the id",
    });
  }
  if (first !== undefined) return first;
  throw new TscError("TSC_CONTAINER_NOT_FOUND", `no such container: ${reference}`, { kind: "not-found" });
}

/** The pid of a running container's first process, which lives: a number that was reused must not lead into somebody else's namespaces. */
export function livingPid(ctx: Pick<EngineContext, "kernel">, row: ContainerRow): number | undefined {
  const isUp = row.state === "running" || row.state === "paused";
  const isAlive =
    isUp && row.bootId === ctx.kernel.bootId() && ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart });
  return isAlive ? row.pid : undefined;
}

/** Serialises start, settle and removal of one container over all processes. */
export async function lockContainer(ctx: EngineContext, id: string): Promise<FileLock> {
  const lock = await ctx.kernel.lockFile(join(ctx.paths.locks, `container-${id}`), { wait: true });
  if (lock === undefined) throw new TscError("TSC_LOCK_FAILED", `container ${id.slice(0, 12)} cannot be locked`);
  return lock;
}

/** Folder of one container that dies with its process or the boot: config.json, sockets, secrets. Nothing a container can fill. */
export function bundleOf(ctx: Pick<EngineContext, "paths">, id: string): string {
  return join(ctx.paths.containersRun, id);
}

/** The running container's config.json. `TSC_INTERNAL` without a cause: a parser's message would quote the environment in it. */
export async function readBundleConfig(ctx: Pick<EngineContext, "paths">, id: string): Promise<OciConfig> {
  const path = join(bundleOf(ctx, id), "config.json");
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text) as OciConfig;
  } catch {
    throw new TscError("TSC_INTERNAL", `${path} is damaged`, { hint: "restart the container" });
  }
}

/** Folder of what lasts or what a container may fill, on the store's disk: the log, what is kept in private, the files bound over /etc/hosts and its like. */
export function folderOf(ctx: Pick<EngineContext, "paths">, id: string): string {
  return join(ctx.paths.containers, id);
}

/** Attributes of a container's events, docker's: labels, image and name. */
export function eventAttributes(
  row: ContainerRow,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const labels = containerLabels(row.record.image?.labels, row.spec.labels);
  return { ...labels, image: row.imageName, name: row.name, ...extra };
}
