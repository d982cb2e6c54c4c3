/** Joins a container to the supervisor: what a probe runs, what restarts by policy. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineContext } from "../context.js";
import {
  ensureSupervisor,
  isSupervised,
  isWatched,
  isWatchedRun,
  needsSupervision,
  unwatchContainer,
  watchContainer,
} from "../health/index.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import { bundleOf, isBeingRestarted, lockContainer, readBundleConfig } from "./lookup.js";
import { ociJson } from "./oci/spec.js";
import { globalArguments, wrapped } from "./oci-runtime.js";

/** Has a running container watched when its health check, restart policy, auto-removal or log needs it. */
export async function superviseContainer(ctx: EngineContext, row: ContainerRow): Promise<void> {
  if (!needsSupervision(row)) return;
  const { pid, pidStart, restartCount } = row;
  const probe = await probeCommand(ctx, row);
  const logControl = join(bundleOf(ctx, row.id), "ctl");
  await watchContainer(ctx, row, { id: row.id, pid, pidStart, restartCount, probe, logControl });
}

/**
 * Writes the watch anew that a killed command left undone, or that somebody removed, when the container's run needs one. Waits for who
 * works on the container: a start writes the watch itself, just after the row.
 */
export async function watchAgain(ctx: EngineContext, id: string): Promise<void> {
  if (unwatched(ctx, id) === undefined) return;
  using _lock = await lockContainer(ctx, id);
  const row = unwatched(ctx, id);
  if (row !== undefined) await superviseContainer(ctx, row);
}

/** The container's watch, and somebody who keeps it. `TSC_SUPERVISOR`. */
export async function mendWatch(ctx: EngineContext, id: string): Promise<void> {
  await watchAgain(ctx, id);
  if (isWatched(ctx, id) && !isSupervised(ctx)) await ensureSupervisor(ctx);
}

/** The container when its run should be watched and is not. */
function unwatched(ctx: EngineContext, id: string): ContainerRow | undefined {
  const row = containerById(ctx.state, id);
  if (row === undefined || !needsSupervision(row) || row.bootId !== ctx.kernel.bootId()) return undefined;
  if ((row.state !== "running" && row.state !== "paused") || isWatchedRun(ctx, row)) return undefined;
  // Its stop holds no lock: the supervisor would bring it back beside whoever restarts it.
  return isBeingRestarted(ctx, id) ? undefined : row;
}

/** Ends the watch; before every deliberate stop. */
export async function unsuperviseContainer(ctx: EngineContext, id: string): Promise<void> {
  await unwatchContainer(ctx, id);
}

async function probeCommand(ctx: EngineContext, row: ContainerRow): Promise<string[] | undefined> {
  const { healthcheck, runtime, image } = row.record;
  if (healthcheck === undefined || runtime === undefined) return undefined;
  const [kind, ...rest] = healthcheck.test;
  const shell = image?.shell !== undefined && image.shell.length > 0 ? image.shell : ["/bin/sh", "-c"];
  const args = kind === "CMD-SHELL" ? [...shell, ...rest] : kind === "CMD" ? rest : [...healthcheck.test];
  const bundle = bundleOf(ctx, row.id);
  const config = await readBundleConfig(ctx, row.id);
  const file = join(bundle, "probe.json");
  await writeFile(file, ociJson({ ...config.process, terminal: false, args }), { mode: 0o600 });
  const command = wrapped(ctx.kernel, runtime, runtime.path, [
    ...globalArguments(ctx, runtime, row.record.cgroupPath ?? ""),
    "exec",
    "--process",
    file,
    row.id,
  ]);
  return [command.program, ...command.args];
}

/** docker's rule: does the policy bring it back after this exit? */
export function restartsAfter(
  row: Pick<ContainerRow, "spec" | "stoppedByUser" | "restartCount">,
  exitCode: number,
): boolean {
  if (row.stoppedByUser) return false;
  const { policy, maxRetries = 0 } = row.spec.restart ?? { policy: "no" as const };
  if (policy === "always" || policy === "unless-stopped") return true;
  return policy === "on-failure" && exitCode !== 0 && (maxRetries === 0 || row.restartCount < maxRetries);
}

/**
 * docker's rule at the start of its daemon, for a container that ran in an earlier boot: `always` comes back although it was stopped,
 * `unless-stopped` and `on-failure` do not.
 */
export function startsAtBoot(
  row: Pick<ContainerRow, "spec" | "stoppedByUser" | "restartCount" | "exitCode" | "startedAt">,
): boolean {
  if (row.startedAt === "") return false;
  return row.spec.restart?.policy === "always" || restartsAfter(row, row.exitCode);
}
