/**
 * The containers of an engine: each call handed to the function that does it. Listing is loaded with it; everything that changes
 * containers is loaded when first used, because `ps` must be quick.
 */
import type { LabelFilter } from "../api.js";
import { isWatched } from "../health/index.js";
import { type ContainerRow, containerById, listContainers } from "../state/containers.js";
import { containerLogs } from "./container-logs.js";
import type { Containers } from "./containers-api.js";
import type { RuntimeDeps } from "./deps.js";
import { freshInfo, inspectContainer } from "./inspect-now.js";
import { findContainer, isUp, whileRunning } from "./lookup.js";
import type { PendingAttaches } from "./pending-attach.js";
import { waitContainer } from "./wait.js";

const loadCopy = () => import("../copy/index.js");
const loadCreate = () => import("./create.js");
const loadNetworks = () => import("./live-networks.js");
const loadPolicy = () => import("./policy.js");
const loadStats = () => import("../stats/index.js");
const loadStop = () => import("./stop.js");
const loadSupervise = () => import("./supervise.js");

/** The containers of one engine; reads nothing before it is asked. */
export function openContainers(deps: RuntimeDeps): Containers {
  const { ctx } = deps;
  const find = (reference: string): ContainerRow => findContainer(ctx, reference);
  const wait = (id: string, signal?: AbortSignal) => waitContainer(deps, id, signal);
  const copyDeps = async () => ({ ctx, storage: await deps.storage() });
  let pending: PendingAttaches | undefined;

  const start = async (id: string): Promise<void> => {
    const row = find(id);
    const { startContainer } = await import("./start.js");
    const attaches = pending;
    try {
      await startContainer(deps, row.id, { onCreated: async (created) => attaches?.connect(deps, created, wait) });
      attaches?.started(row.id);
    } catch (error) {
      attaches?.failed(row.id);
      throw error;
    }
  };
  const attach = async (id: string) => {
    const row = find(id);
    if (isUp(row)) {
      const { attachContainer } = await import("./exec.js");
      return await whileRunning(ctx, row, () => attachContainer(deps, row, wait));
    }
    pending ??= new (await import("./pending-attach.js")).PendingAttaches();
    return pending.add(row.id);
  };
  /** Work on a container that runs. */
  const running = async <T>(id: string, work: (row: ContainerRow) => Promise<T>): Promise<T> => {
    const row = find(id);
    return await whileRunning(ctx, row, () => work(row));
  };
  /** Pauses or continues; what the supervisor was told of the container is told anew. */
  const freeze = async (id: string, change: "pauseContainer" | "unpauseContainer"): Promise<void> => {
    const row = find(id);
    const stop = await loadStop();
    await whileRunning(ctx, row, () => stop[change](deps, row));
    await (await loadSupervise()).superviseContainer(ctx, find(row.id));
  };

  return {
    create: async (spec) => (await loadCreate()).createContainer(deps, spec),
    createStep: async (spec) => (await loadCreate()).createContainer(deps, spec, { kind: "build", name: spec.name }),
    start,
    wait,
    attach,
    inspect: (reference) => inspectContainer(deps, reference),
    logs: (id, options) => containerLogs(deps, id, options),
    stop: async (id, options = {}) => (await loadStop()).stopContainer(deps, find(id).id, options, true),
    restart: async (id, options = {}) =>
      (await import("./restart.js")).restartContainer(deps, id, options, (stopped) => start(stopped)),
    kill: async (id, signal) => (await loadStop()).killContainer(deps, find(id), signal),
    pause: (id) => freeze(id, "pauseContainer"),
    unpause: (id) => freeze(id, "unpauseContainer"),
    remove: async (id, options = {}) => (await loadStop()).removeContainer(deps, find(id).id, options),
    mend: async (id) => (await loadSupervise()).mendWatch(ctx, find(id).id),
    rename: async (id, name) => (await import("./rename.js")).renameContainer(deps, id, name),
    async list(filter: LabelFilter = {}) {
      const infos = await Promise.all(listContainers(ctx.state, filter.labels).map((row) => freshInfo(deps, row)));
      return infos.filter((info) => info !== undefined);
    },
    exec: async (id, spec) => running(id, async (row) => (await import("./exec.js")).execContainer(deps, row, spec)),
    top: async (id) => running(id, async (row) => (await loadStats()).containerTop(ctx, row)),
    stats: async (id) => running(id, async (row) => (await loadStats()).containerStats(ctx, row)),
    update: async (id, change) =>
      running(id, async (row) => (await import("./update.js")).updateContainer(deps, row, change)),
    connectNetwork: async (id, attachment) => (await loadNetworks()).connectNetwork(deps, id, attachment),
    disconnectNetwork: async (id, network) => (await loadNetworks()).disconnectNetwork(deps, id, network),
    copyOut: async (id, path, options) => (await loadCopy()).copyOut(await copyDeps(), find(id), path, options),
    copyIn: async (id, path, tar, options) => (await loadCopy()).copyIn(await copyDeps(), find(id), path, tar, options),
    removePaths: async (id, paths) => (await loadCopy()).removeIn(await copyDeps(), find(id), paths),
    stat: async (id, path) => (await loadCopy()).statIn(await copyDeps(), find(id), path),
    export: async (id) => (await loadCopy()).exportRootfs(await copyDeps(), find(id)),
    commit: async (id, options) => (await import("./commit.js")).commitContainer(deps, id, options),

    repair: async () => (await import("./repair.js")).repairContainers(deps),
    restartByPolicy: async (id) => (await loadPolicy()).restartByPolicy(deps, id),
    async cleanup(id) {
      if (!isWatched(ctx, id) && containerById(ctx.state, id) === undefined) return;
      await (await loadPolicy()).cleanupExited(deps, id);
    },
  };
}
