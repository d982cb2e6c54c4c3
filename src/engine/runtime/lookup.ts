/** Finding a container by what people call it, and locking it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileLock } from "../../kernel/kernel.js";
import { isTscError, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { noSuchContainer } from "../errors.js";
import { containerLabels } from "../labels.js";
import { type ContainerRow, containerById, containerByName, containersByPrefix } from "../state/containers.js";
import { restartingOwner } from "../state/intents.js";
import { takeLock } from "../take-lock.js";
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
  throw noSuchContainer(reference);
}

/** Whether the container has a process by its row; the kernel may know better. */
export function isUp(row: Pick<ContainerRow, "state">): boolean {
  return row.state === "running" || row.state === "paused";
}

/** The pid of a running container's first process, which lives: a number that was reused must not lead into somebody else's namespaces. */
export function livingPid(ctx: Pick<EngineContext, "kernel">, row: ContainerRow): number | undefined {
  const isAlive =
    isUp(row) && row.bootId === ctx.kernel.bootId() && ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart });
  return isAlive ? row.pid : undefined;
}

/** A process loses its files and namespaces before the kernel calls it ended. */
const END_TAKES_MS = 500;

/** Whether a container that ran when work on it began has ended; waits a moment for it when the failure may come from an end under way. */
async function hasEnded(ctx: EngineContext, row: ContainerRow, failure: unknown): Promise<boolean> {
  if (!isUp(row)) return false;
  const speaksOfIt = isTscError(failure) && failure.exitCode !== 126;
  if (livingPid(ctx, row) !== undefined && !speaksOfIt) {
    const init = { pid: row.pid, startTime: row.pidStart };
    await ctx.kernel.waitForExit(init, AbortSignal.timeout(END_TAKES_MS)).catch(() => undefined);
  }
  return livingPid(ctx, row) === undefined;
}

/** Between the two halves of somebody's `restart`. */
export function isBeingRestarted(ctx: Pick<EngineContext, "state" | "kernel">, id: string): boolean {
  const owner = restartingOwner(ctx.state, id);
  return owner !== undefined && owner.bootId === ctx.kernel.bootId() && ctx.kernel.isAlive(owner);
}

/**
 * Works on a container that runs. When that fails because the container has ended meanwhile, that is what is said, and not how the work
 * came upon it: `TSC_CONTAINER_NOT_RUNNING`.
 */
export async function whileRunning<T>(ctx: EngineContext, row: ContainerRow, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isTscError(cause, "TSC_CONTAINER_NOT_RUNNING") || !(await hasEnded(ctx, row, cause))) throw cause;
    throw new TscError("TSC_CONTAINER_NOT_RUNNING", `container ${row.name} is not running: it has just ended`, {
      kind: "conflict",
      cause,
    });
  }
}

/** Serialises start, settle and removal of one container over all processes. */
export function lockContainer(ctx: EngineContext, id: string): Promise<FileLock> {
  return takeLock(ctx, `container-${id}`, `container ${id.slice(0, 12)}`);
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

/** Tells of something done to a container, with no more than its own attributes. */
export function emitPlain(
  { ctx }: { readonly ctx: Pick<EngineContext, "emit"> },
  row: ContainerRow,
  action: string,
): void {
  ctx.emit({ type: "container", action, id: row.id, name: row.name, attributes: eventAttributes(row) });
}
