/** Opening an engine: its context, its parts wired together, and the repair of what crashes left. */
import { dirname, join } from "node:path";
import { openKernel } from "../kernel/index.js";
import { given } from "../lib/given.js";
import type { DiskApi, EngineApi, EngineOptions, ImagesApi } from "./api.js";
import type { EngineContext } from "./context.js";
import { type Events, openEvents } from "./events/index.js";
import { makeFolders } from "./folders.js";
import { lazyDisk, lazyImages, lazyLogins, lazyNetworks, once } from "./lazy.js";
import type { Networking } from "./network/types.js";
import { findPackageRoot } from "./package-root.js";
import { enginePaths } from "./paths.js";
import { type Containers, type HostFacts, openContainers, probeHost, securityReport } from "./runtime/index.js";
import { openState } from "./state/index.js";
import type { Storage } from "./storage/index.js";
import { openVolumes } from "./volumes/index.js";

/** The engine with what only the supervisor's orders (`tscompose internal …`) use. */
export interface Engine extends EngineApi {
  readonly containers: Containers;
}

/**
 * Opens the engine on its store, makes the store's folders when they are missing and repairs what crashes left. Parts that a command may
 * not need are loaded when first used. `TSC_NATIVE_MISSING`, `TSC_FOLDER_OWNER`, `TSC_FOLDER_SHARED`, `TSC_STATE_TOO_NEW`, `TSC_STATE_CORRUPT`.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { ctx, events } = openEngineContext(options);
  const { kernel, state } = ctx;
  const storage = once<Storage>(async () => (await import("./storage/index.js")).openStorage(ctx));
  const imagesPart = once(async () => {
    const module = await import("./images/index.js");
    return { store: module.openImages(ctx, await storage()), chainIdOf: module.chainIdOf };
  });
  const networking = once<Networking>(async () => (await import("./network/index.js")).openNetworking(ctx));
  const volumes = openVolumes(ctx);
  let host: HostFacts | undefined;
  const hostFacts = (): HostFacts => {
    host ??= probeHost({ rootless: kernel.isRootless });
    return host;
  };
  const containers = openContainers({
    ctx,
    volumes,
    storage,
    networking,
    host: hostFacts,
    images: async () => {
      const { store, chainIdOf } = await imagesPart();
      return { inspect: (reference, platform) => store.inspect(reference, platform), chainIdOf, store };
    },
  });
  const build: ImagesApi["build"] = async (request) => {
    const { buildImage, containerRunStep } = await import("./builder/index.js");
    const { store } = await imagesPart();
    const runStep = containerRunStep(containers);
    return await buildImage({ ctx, storage: await storage(), images: store, runStep }, request);
  };
  const networks = lazyNetworks(networking);
  const openedDisk = once<DiskApi>(async () => {
    const [{ openDisk }, { DEFAULT_NETWORK }] = await Promise.all([
      import("./disk/index.js"),
      import("./network/index.js"),
    ]);
    const { store } = await imagesPart();
    return openDisk({ ctx, images: store, defaultNetwork: DEFAULT_NETWORK, containers, networks, volumes });
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    try {
      if (imagesPart.used()) (await imagesPart()).store[Symbol.dispose]();
    } finally {
      state[Symbol.dispose]();
    }
  };
  try {
    await containers.repair();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    containers,
    images: lazyImages(kernel, async () => (await imagesPart()).store, build),
    networks,
    volumes,
    events,
    disk: lazyDisk(openedDisk),
    logins: lazyLogins(once(async () => (await imagesPart()).store.logins())),
    info: async () => {
      const { systemInfo } = await import("./info.js");
      return await systemInfo({ ctx, host: hostFacts(), storage: await storage(), networking: await networking() });
    },
    security: () => securityReport(ctx, hostFacts()),
    lock: async (name, lockOptions) => (await import("./locks.js")).lockName(ctx, name, lockOptions),
    reset: async () => (await import("./reset.js")).resetEngine({ ctx, containers, networks, close }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What every part is given, with the kernel and the database open. */
function openEngineContext(options: EngineOptions): { readonly ctx: EngineContext; readonly events: Events } {
  const { env, root, runRoot, warn = () => undefined } = options;
  const packageRoot = options.nativeDir === undefined ? findPackageRoot() : dirname(dirname(options.nativeDir));
  const nativeDir = options.nativeDir ?? join(packageRoot, "native/build");
  const hostUid = env.TSCOMPOSE_HOST_UID === undefined ? undefined : Number(env.TSCOMPOSE_HOST_UID);
  const kernel = openKernel({ nativeDir, ...given({ hostUid: Number.isNaN(hostUid) ? undefined : hostUid }) });
  const rootless = kernel.isRootless;
  const paths = enginePaths({ rootless, hostUid: kernel.hostUid, root, runRoot, env });
  makeFolders(paths);
  const state = openState(paths.database);
  const events = openEvents(state, { database: paths.database, warn });
  const selfCommand = options.selfCommand ?? [process.execPath, join(packageRoot, "dist/main.cjs")];
  const emit: EngineContext["emit"] = (event) => events.emit(event);
  return { ctx: { paths, kernel, state, env, rootless, selfCommand, warn, emit }, events };
}
