/**
 * Starting a container: network and rootfs side by side, bundle, conmon, exec fifo, row. Whatever fails, everything
 * made by this start is undone; a crash half way is found through its intent.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { processPath } from "../../kernel/proc.js";
import { isTscError, messageOf, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { noSuchContainer } from "../errors.js";
import { beginRun, checkLogging } from "../logs/index.js";
import type { Attachment, AttachResult } from "../network/types.js";
import { beginStart, markRunning, markStartFailed } from "../state/container-states.js";
import { type ContainerRow, containerById, saveRecord } from "../state/containers.js";
import { beginIntent, endIntent } from "../state/intents.js";
import { loadDefaultSeccomp, writeBundle } from "./bundle.js";
import { cgroupPathOf } from "./cgroups.js";
import { confine } from "./confine.js";
import { type ConmonCreate, type CreatedContainer, conmonCreate } from "./conmon.js";
import type { RuntimeDeps } from "./deps.js";
import { confirmDonors, type Donors, findDonors, networkDonor } from "./donors.js";
import { withLabels } from "./labels.js";
import { updateLinkingContainers } from "./links.js";
import { bundleOf, eventAttributes, folderOf, isBeingRestarted, lockContainer } from "./lookup.js";
import { lacksDeviceFilter } from "./oci/device-filter.js";
import type { OciConfig } from "./oci/types.js";
import { chooseRuntime, runtimeRoot, startCreated } from "./oci-runtime.js";
import { owner } from "./owner.js";
import { unpin } from "./pins.js";
import { checkReadOnly } from "./read-only.js";
import { runtimeReason } from "./reasons.js";
import type { RuntimeChoice } from "./record.js";
import { type ReleaseOptions, releaseResources } from "./release.js";
import { removeLocked } from "./remove.js";
import { keepCompiledFilter } from "./seccomp-filter.js";
import { readExit, settleLocked } from "./settle.js";
import { superviseContainer } from "./supervise.js";

/** What a start is told by whoever causes it. */
export interface StartOptions {
  /** Counts as a restart by policy. */
  readonly restartCount?: number;
  /** Start only if this is still the incarnation (a supervisor's late order must not restart a newer run). */
  readonly onlyIncarnation?: number;
  /** Called between create and start, when nothing was written yet. */
  readonly onCreated?: (row: ContainerRow) => Promise<void>;
}

/** Starts a created or exited container; nothing when it runs. `TSC_CONTAINER_PAUSED`, `TSC_CONTAINER_START` with exit code 125–127. */
export async function startContainer(deps: RuntimeDeps, id: string, options: StartOptions = {}): Promise<void> {
  const { ctx } = deps;
  using _lock = await lockContainer(ctx, id);
  const known = containerById(ctx.state, id);
  const row = known === undefined ? undefined : await settleLocked(deps, known);
  if (row === undefined) {
    throw noSuchContainer(id);
  }
  if (row.state === "running") return;
  if (row.state === "paused") {
    throw new TscError("TSC_CONTAINER_PAUSED", `container ${row.name} is paused and cannot be started`, {
      kind: "conflict",
      hint: "unpause it",
    });
  }
  if (row.state === "removing") {
    throw new TscError("TSC_CONTAINER_REMOVING", `container ${row.name} is being removed`, { kind: "conflict" });
  }
  if (options.onlyIncarnation !== undefined && options.onlyIncarnation !== row.incarnation) return;
  await startLocked(deps, row, options);
}

async function startLocked(deps: RuntimeDeps, row: ContainerRow, options: StartOptions): Promise<void> {
  const { ctx } = deps;
  const { id } = row;
  const bootId = ctx.kernel.bootId();
  const host = deps.host();
  const choice = chooseRuntime(ctx, host, row.spec.runtime);
  const cgroupPath = cgroupPathOf(host, id, row.spec.cgroupParent);
  const begun = ctx.state.transaction(() => {
    const incarnation = beginStart(ctx.state, id, bootId);
    saveRecord(ctx.state, id, { ...row.record, runtime: choice, cgroupPath });
    return { incarnation, intent: beginIntent(ctx.state, "start", id, owner(ctx), bootId) };
  });
  let fresh: ContainerRow = {
    ...row,
    bootId,
    incarnation: begun.incarnation,
    record: { ...row.record, runtime: choice, cgroupPath },
  };
  let created: CreatedContainer | undefined;
  try {
    const donors = findDonors(deps, fresh);
    fresh = await withLabels(deps, fresh, donors);
    const prepared = await prepare(deps, fresh, choice, cgroupPath, donors);
    created = prepared.created;
    recordAnchors(deps, fresh, created);
    confirmDonors(deps, fresh, donors);
    checkReadOnly(deps, fresh, prepared.rootfs, created.init.pid);
    const network = await prepared.joined;
    const { init } = created;
    await confine(ctx, {
      row: fresh,
      choice,
      ...prepared.use,
      init,
      lacksDeviceFilter: lacksDeviceFilter(host, row.spec),
    });
    await options.onCreated?.(fresh);
    // Before the row: what a killed command leaves undone after it must be found by comparison (repair.ts).
    await updateLinkingContainers(deps, row.name);
    // Before the program can write: whoever reads its log from then on misses nothing.
    const startedAt = new Date().toISOString();
    await startCreated(ctx, choice, cgroupPath, id, created.init);
    const process = {
      pid: created.init.pid,
      pidStart: created.init.startTime,
      conmonPid: created.conmon.pid,
      conmonStart: created.conmon.startTime,
      startedAt,
      restartCount: options.restartCount ?? 0,
    };
    const { apparmorProfile } = prepared.use.config.process;
    const record: ContainerRow["record"] = {
      ...fresh.record,
      ports: network.ports,
      ...given({ apparmor: apparmorProfile }),
    };
    ctx.state.transaction(() => {
      markRunning(ctx.state, id, process);
      saveRecord(ctx.state, id, record);
      endIntent(ctx.state, begun.intent);
      ctx.emit({ type: "container", action: "start", id, name: row.name, attributes: eventAttributes(row) });
    });
    await superviseContainer(ctx, { ...fresh, ...process, record, state: "running" });
  } catch (error) {
    const failure = startError(row, error);
    // The supervisor tries a restart again; a person does so by hand.
    const suppressed = await undoStart(deps, fresh, created, { keepWatch: options.onlyIncarnation !== undefined });
    ctx.state.transaction(() => {
      markStartFailed(ctx.state, id, failure.exitCode, failure.message);
      endIntent(ctx.state, begun.intent);
    });
    const left = containerById(ctx.state, id);
    if (left?.spec.autoRemove === true && !isBeingRestarted(ctx, id)) {
      await removeLocked(deps, left, true).catch((failed: unknown) => suppressed.push(failed));
    }
    if (suppressed.length === 0) throw failure;
    throw new TscError(failure.code, failure.message, {
      kind: failure.kind,
      exitCode: failure.exitCode,
      cause: failure,
      suppressed,
      ...given({ hint: failure.hint }),
    });
  }
}

/** Makes the container while its networks are still being joined; nothing of it runs before both are done. */
async function prepare(
  deps: RuntimeDeps,
  row: ContainerRow,
  choice: RuntimeChoice,
  cgroupPath: string,
  donors: Donors,
): Promise<{
  created: CreatedContainer;
  joined: Promise<AttachResult>;
  rootfs: string;
  use: { readonly config: OciConfig; readonly hasCompiledFilter: boolean };
}> {
  const { ctx } = deps;
  const { id } = row;
  const bundle = bundleOf(ctx, id);
  const networkOwner = networkDonor(row, donors);
  const attaching = networkOwner === undefined ? beginAttach(deps, row) : sharedNetwork(networkOwner);
  try {
    const [{ reserved, joined }, rootfs] = await allOrFirstError([
      attaching,
      rootfsOf(deps, row),
      loadDefaultSeccomp(),
    ]);
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    mkdirSync(runtimeRoot(ctx, choice), { recursive: true, mode: 0o700 });
    const network = reserved ?? (await joined);
    const { config, compiles } = await writeBundle(deps, row, { rootfs, choice, cgroupPath, network, donors });
    checkLogging(row.name, row.spec.logging);
    const request = conmonRequest(row, { bundle, choice, cgroupPath });
    // conmon would make it readable for its group.
    if (request.logPath !== undefined) beginRun(request.logPath);
    const created = await conmonCreate(ctx, request);
    // Its own mount namespace holds them now.
    unpin(ctx.kernel, bundle);
    if (compiles !== undefined) keepCompiledFilter(ctx, choice, id, compiles);
    return { created, joined, rootfs, use: { config, hasCompiledFilter: compiles === undefined } };
  } catch (error) {
    // A create can fail because the networks did, and took the namespace with them.
    await attaching.then(({ joined }) => joined);
    throw error;
  }
}

/**
 * Lets the launcher find the rootless namespaces again through this container's conmon when nobody else holds them, and see that the
 * container runs when conmon has gone too. In the store: an emptied run root must not hide either.
 */
function recordAnchors({ ctx }: RuntimeDeps, row: ContainerRow, { init, conmon }: CreatedContainer): void {
  if (!ctx.rootless) return;
  const folder = folderOf(ctx, row.id);
  // with cgroup2 hidden from it, conmon has mounts of its own
  if (row.record.runtime?.hideUnified !== true) ctx.kernel.recordProcess(join(folder, "conmon.process"), conmon);
  ctx.kernel.recordProcess(join(folder, "init.process"), init);
}

function conmonRequest(row: ContainerRow, where: Pick<ConmonCreate, "bundle" | "choice" | "cgroupPath">): ConmonCreate {
  const { spec } = row;
  return {
    ...where,
    id: row.id,
    name: row.name,
    tty: spec.tty === true,
    stdin: spec.stdinOpen === true,
    leaveStdinOpen: spec.stdinOpen === true && spec.stdinOnce !== true,
    logPath: spec.logging?.driver === "none" ? undefined : row.record.logPath,
  };
}

/** Promise.all, but no promise is left running when one rejects: what they make must be undone after them. */
async function allOrFirstError<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return results.map((result) => (result.status === "fulfilled" ? result.value : undefined)) as unknown as T;
}

async function rootfsOf(deps: RuntimeDeps, row: ContainerRow): Promise<string> {
  return row.spec.rootfs ?? (await (await deps.storage()).mountRootfs(row.id, row.record.selinux?.mount));
}

async function beginAttach(deps: RuntimeDeps, row: ContainerRow): Promise<Attachment> {
  const { spec } = row;
  const netSysctls = Object.entries(spec.sysctls ?? {}).filter(([name]) => name.startsWith("net."));
  return await (await deps.networking()).beginAttach({
    id: row.id,
    name: row.name,
    hostname: row.record.hostname,
    attachments: spec.networks ?? [],
    ports: spec.ports ?? [],
    ...given({ mode: spec.networkMode, dns: spec.dns, dnsSearch: spec.dnsSearch, dnsOptions: spec.dnsOptions }),
    ...(netSysctls.length === 0 ? {} : { sysctls: Object.fromEntries(netSysctls) }),
  });
}

async function sharedNetwork(target: ContainerRow): Promise<Attachment> {
  const isHost = target.spec.networkMode?.kind === "host";
  const result = { netnsPath: isHost ? "" : processPath(target.pid, "ns/net"), endpoints: [], ports: [] };
  return { reserved: result, joined: Promise.resolve(result) };
}

function startError(row: ContainerRow, error: unknown): TscError {
  if (isTscError(error, "TSC_RUNTIME_CREATE")) {
    const reason = runtimeReason(error.message, row.record.argv[0] ?? "", 125);
    return new TscError("TSC_CONTAINER_START", `container ${row.name}: ${reason.message}`, {
      exitCode: reason.exitCode,
      kind: "internal",
      cause: error,
    });
  }
  if (isTscError(error)) return error;
  return new TscError("TSC_CONTAINER_START", `container ${row.name}: ${messageOf(error)}`, {
    cause: error,
    exitCode: 125,
  });
}

/** Kills what was made and takes everything back; the errors met on the way. */
async function undoStart(
  deps: RuntimeDeps,
  row: ContainerRow,
  created: CreatedContainer | undefined,
  options: ReleaseOptions,
): Promise<unknown[]> {
  if (created !== undefined) {
    deps.ctx.kernel.signal(created.init, "SIGKILL");
    await deps.ctx.kernel.waitForExit(created.init);
    await readExit(deps, row, created.conmon);
  }
  return await releaseResources(deps, row, options);
}
