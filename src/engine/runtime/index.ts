/**
 * Containers: the runtime part's public face. Listing is loaded with it; everything that changes containers is loaded
 * when first used, because `ps` must be quick.
 */
import { TscError } from "../../lib/errors.js";
import type { LabelFilter, SecurityFinding } from "../api.js";
import type { EngineContext } from "../context.js";
import { noSuchContainer } from "../errors.js";
import { isWatched } from "../health/index.js";
import type { StoredSpec } from "../secrets/index.js";
import { type ContainerRow, containerById, listContainers, renameContainer, saveSpec } from "../state/containers.js";
import { lastExitCode } from "../state/events.js";
import { beginIntent, endIntent } from "../state/intents.js";
import type { ContainerInfo, LogLine, LogOptions, NetworkAttachment } from "../types.js";
import type { Containers } from "./containers-api.js";
import type { RuntimeDeps } from "./deps.js";
import type { HostFacts } from "./host.js";
import { containerInfo, wholeSpec } from "./inspect.js";
import { eventAttributes, findContainer, isBeingRestarted, whileRunning } from "./lookup.js";
import { owner as self } from "./owner.js";
import type { PendingAttaches } from "./pending-attach.js";

export type { Containers } from "./containers-api.js";
export type { RuntimeDeps } from "./deps.js";
export { type HostFacts, probeHost } from "./host.js";

/** Which confinement this host gives containers; reads the kernel and asks the installed runtimes. */
export async function securityReport(ctx: EngineContext, host: HostFacts): Promise<SecurityFinding[]> {
  return await (await import("./security/report.js")).securityReport(ctx, host);
}

const loadStart = () => import("./start.js");
const loadStop = () => import("./stop.js");
const loadCopy = () => import("../copy/index.js");
const loadSettle = () => import("./settle.js");

/** The containers of one engine. */
export function openContainers(deps: RuntimeDeps): Containers {
  const { ctx } = deps;
  const find = (reference: string): ContainerRow => findContainer(ctx, reference);
  let pending: PendingAttaches | undefined;

  /** The row with the kernel's word on whether it runs; `state` is what callers are told. */
  const fresh = async (row: ContainerRow): Promise<ContainerInfo | undefined> => {
    const isUp = row.state === "running" || row.state === "paused";
    if (row.state === "exited" && isBeingRestarted(ctx, row.id)) return containerInfo(ctx, row, "restarting");
    const isSettled = !isUp && (row.state !== "exited" || (row.spec.restart?.policy ?? "no") === "no");
    if (isSettled) return containerInfo(ctx, row);
    const isSameBoot = row.bootId === ctx.kernel.bootId();
    if (isUp && isSameBoot && ctx.kernel.isAlive({ pid: row.pid, startTime: row.pidStart }))
      return containerInfo(ctx, row);
    const repair = await import("./repair.js");
    const end = await repair.endBeforeRestart(deps, row);
    if (end !== undefined) return containerInfo(ctx, { ...row, ...end }, "restarting");
    if (!isUp) return containerInfo(ctx, row);
    await repair.settleDead(deps, row.id);
    const settled = containerById(ctx.state, row.id);
    return settled === undefined ? undefined : containerInfo(ctx, settled);
  };

  const copyDeps = async () => ({ ctx, storage: await deps.storage() });

  const inspect = async (reference: string): Promise<ContainerInfo> => {
    const info = await fresh(find(reference));
    if (info !== undefined) return info;
    throw noSuchContainer(reference);
  };

  const wait = async (id: string, signal?: AbortSignal): Promise<number> => {
    const row = find(id);
    if (row.state === "running" || row.state === "paused") {
      await ctx.kernel.waitForExit({ pid: row.pid, startTime: row.pidStart }, signal);
      // A container that restarts by policy is settled by its supervisor; its exit code is in conmon's file until then.
      const { readExit, settleContainer } = await loadSettle();
      const exit = await readExit(deps, row, { pid: row.conmonPid, startTime: row.conmonStart });
      const repair = await import("./repair.js");
      if ((await repair.endBeforeRestart(deps, row)) === undefined && row.spec.autoRemove !== true) {
        await settleContainer(deps, row.id);
      }
      const settled = containerById(ctx.state, row.id);
      if (settled?.state === "exited") return settled.exitCode;
      // another command has settled it, and removed or started it since: conmon's file is gone, its event is not
      return (exit.error === "" ? undefined : lastExitCode(ctx.state, row.id)) ?? exit.exitCode;
    }
    return row.exitCode;
  };

  const start = async (id: string): Promise<void> => {
    const row = find(id);
    const { startContainer } = await loadStart();
    const attaches = pending;
    try {
      await startContainer(deps, row.id, {
        onCreated: async (created) => attaches?.connect(deps, created, (waited) => wait(waited)),
      });
      attaches?.started(row.id);
    } catch (error) {
      attaches?.failed(row.id);
      throw error;
    }
  };

  async function* logs(id: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
    const row = find(id);
    if (row.spec.logging?.driver === "none") {
      throw new TscError("TSC_NO_LOG", `container ${row.name}: the log driver is none, so there is no log`, {
        kind: "unsupported",
      });
    }
    const { readLog } = await import("../logs/index.js");
    const stop = new AbortController();
    const isUp = row.state === "running" || row.state === "paused";
    const finished =
      options.follow !== true
        ? undefined
        : isUp
          ? wait(row.id, stop.signal).catch(() => undefined)
          : Promise.resolve(undefined);
    try {
      yield* readLog(row.record.logPath, {
        ...options,
        ...(finished === undefined ? {} : { finished }),
        hold: (descriptor) => deps.ctx.kernel.shareLock(descriptor),
        onLost: (files) =>
          deps.ctx.warn(`container ${row.name}: ${files} log files were taken away before they could be read`),
      });
    } finally {
      stop.abort();
    }
  }

  return {
    create: async (spec) => (await import("./create.js")).createContainer(deps, spec),
    async createStep(spec) {
      const owner = { kind: "build" as const, name: spec.name };
      return await (await import("./create.js")).createContainer(deps, spec, owner);
    },
    start,
    wait,
    inspect,
    logs,
    stop: async (id, options = {}) => (await loadStop()).stopContainer(deps, find(id).id, options, true),
    async restart(id, options = {}) {
      const row = find(id);
      const intent = beginIntent(ctx.state, "restart", row.id, self(ctx), ctx.kernel.bootId());
      try {
        await (await loadStop()).stopContainer(deps, row.id, options, false);
        await start(row.id);
      } finally {
        endIntent(ctx.state, intent);
      }
      ctx.emit({ type: "container", action: "restart", id: row.id, name: row.name, attributes: eventAttributes(row) });
    },
    kill: async (id, signal) => (await loadStop()).killContainer(deps, find(id), signal),
    async pause(id) {
      const row = find(id);
      const { pauseContainer } = await loadStop();
      await whileRunning(ctx, row, () => pauseContainer(deps, row));
      await (await import("./supervise.js")).superviseContainer(ctx, find(row.id));
    },
    async unpause(id) {
      const row = find(id);
      const { unpauseContainer } = await loadStop();
      await whileRunning(ctx, row, () => unpauseContainer(deps, row));
      await (await import("./supervise.js")).superviseContainer(ctx, find(row.id));
    },
    remove: async (id, options = {}) => (await loadStop()).removeContainer(deps, find(id).id, options),
    mend: async (id) => (await import("./supervise.js")).mendWatch(ctx, find(id).id),
    async rename(id, name) {
      (await import("./create.js")).checkName(name);
      const row = find(id);
      const attributes = eventAttributes(row, { oldName: row.name });
      const isFree = ctx.state.transaction(() => {
        if (!renameContainer(ctx.state, row.id, name)) return false;
        ctx.emit({ type: "container", action: "rename", id: row.id, name, attributes });
        return true;
      });
      if (!isFree) throw (await import("./create.js")).nameTaken(ctx, name);
    },
    async list(filter: LabelFilter = {}) {
      const infos = await Promise.all(listContainers(ctx.state, filter.labels).map(fresh));
      return infos.filter((info) => info !== undefined);
    },
    async attach(id) {
      const row = find(id);
      if (row.state === "running" || row.state === "paused") {
        const { attachContainer } = await import("./exec.js");
        return await whileRunning(ctx, row, () => attachContainer(deps, row, (waited) => wait(waited)));
      }
      pending ??= new (await import("./pending-attach.js")).PendingAttaches();
      return pending.add(row.id);
    },
    async exec(id, spec) {
      const row = find(id);
      const { execContainer } = await import("./exec.js");
      return await whileRunning(ctx, row, () => execContainer(deps, row, spec));
    },
    async top(id) {
      const row = find(id);
      const { containerTop } = await import("../stats/index.js");
      return await whileRunning(ctx, row, async () => containerTop(ctx, row));
    },
    async stats(id) {
      const row = find(id);
      const { containerStats } = await import("../stats/index.js");
      return await whileRunning(ctx, row, async () => containerStats(ctx, row));
    },
    async connectNetwork(id, attachment) {
      const row = find(id);
      if (row.state === "running" || row.state === "paused") {
        await (await deps.networking()).connect(row.id, attachment);
      }
      saveSpec(ctx.state, row.id, withNetwork(row.spec, attachment));
    },
    async disconnectNetwork(id, network) {
      const row = find(id);
      if (row.state === "running" || row.state === "paused") {
        await (await deps.networking()).disconnect(row.id, network);
      }
      const networks = (row.spec.networks ?? []).filter((entry) => entry.network !== network);
      saveSpec(ctx.state, row.id, { ...row.spec, networks });
    },
    async update(id, change) {
      const row = find(id);
      const { updateContainer } = await import("./update.js");
      await whileRunning(ctx, row, () => updateContainer(deps, row, change));
    },
    async copyOut(id, path, options) {
      return await (await loadCopy()).copyOut(await copyDeps(), find(id), path, options);
    },
    async copyIn(id, path, tar, options) {
      await (await loadCopy()).copyIn(await copyDeps(), find(id), path, tar, options);
    },
    async removePaths(id, paths) {
      await (await loadCopy()).removeIn(await copyDeps(), find(id), paths);
    },
    async stat(id, path) {
      return await (await loadCopy()).statIn(await copyDeps(), find(id), path);
    },
    async export(id) {
      return await (await loadCopy()).exportRootfs(await copyDeps(), find(id));
    },
    async commit(id, options) {
      const row = find(id);
      const { pauseContainer, unpauseContainer } = await loadStop();
      const canPause = row.state === "running" && (row.record.cgroupPath ?? "") !== "";
      const pause = async () => {
        await pauseContainer(deps, row);
        return async () => await unpauseContainer(deps, find(row.id));
      };
      const { store } = await deps.images();
      return await (await loadCopy()).commitContainer(
        { ...(await copyDeps()), images: store },
        { id: row.id, name: row.name, spec: wholeSpec(ctx, row), imageId: row.imageId, ...(canPause ? { pause } : {}) },
        options,
      );
    },

    repair: async () => (await import("./repair.js")).repairContainers(deps),
    async restartByPolicy(id) {
      await (await import("./policy.js")).restartByPolicy(deps, id);
    },
    async cleanup(id) {
      if (isWatched(ctx, id) || containerById(ctx.state, id) !== undefined) {
        await (await import("./policy.js")).cleanupExited(deps, id);
      }
    },
  };
}

function withNetwork(spec: StoredSpec, attachment: NetworkAttachment): StoredSpec {
  const others = (spec.networks ?? []).filter((entry) => entry.network !== attachment.network);
  return { ...spec, networks: [...others, attachment] };
}
