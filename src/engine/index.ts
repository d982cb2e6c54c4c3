/**
 * The embedded engine's public face: `openEngine` wires the parts together. Parts that a command may not need are
 * loaded when first used. Usable without compose; reads no environment but the one it is given.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openKernel } from "../kernel/index.js";
import type { Kernel } from "../kernel/kernel.js";
import { TscError } from "../lib/errors.js";
import type { DiskApi, EngineApi, EngineOptions, ImagesApi, LoginsApi, NetworksApi } from "./api.js";
import type { EngineContext } from "./context.js";
import { openEvents } from "./events/index.js";
import { makeFolders } from "./folders.js";
import type { Images } from "./images/index.js";
import type { Networking } from "./network/types.js";
import { enginePaths } from "./paths.js";
import { type Containers, type HostFacts, openContainers, probeHost, securityReport } from "./runtime/index.js";
import { openState } from "./state/index.js";
import type { Storage } from "./storage/index.js";
import { openVolumes } from "./volumes/index.js";

export type { ErrorKind, SourcePlace } from "../lib/errors.js";
export { isTscError, TscError, TscErrorList } from "../lib/errors.js";
export type * from "./api.js";
export type * from "./disk/types.js";
export type * from "./types.js";

/** The engine with what only the supervisor's orders (`tscompose internal …`) use. */
export interface Engine extends EngineApi {
  readonly containers: Containers;
}

/**
 * Opens the engine on its store, makes the store's folders when they are missing and repairs what crashes left.
 * `TSC_NATIVE_MISSING`, `TSC_FOLDER_OWNER`, `TSC_FOLDER_SHARED`, `TSC_STATE_TOO_NEW`, `TSC_STATE_CORRUPT`.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const packageRoot = options.nativeDir === undefined ? findPackageRoot() : dirname(dirname(options.nativeDir));
  const nativeDir = options.nativeDir ?? join(packageRoot, "native/build");
  const hostUid = Number(options.env.TSCOMPOSE_HOST_UID ?? Number.NaN);
  const kernel = openKernel({ nativeDir, ...(Number.isNaN(hostUid) ? {} : { hostUid }) });
  const paths = enginePaths({
    rootless: kernel.isRootless,
    hostUid: kernel.hostUid,
    root: options.root,
    runRoot: options.runRoot,
    env: options.env,
  });
  makeFolders(paths);
  const warn = options.warn ?? (() => undefined);
  const state = openState(paths.database);
  const events = openEvents(state, { database: paths.database, warn });
  const ctx: EngineContext = {
    paths,
    kernel,
    state,
    env: options.env,
    rootless: kernel.isRootless,
    selfCommand: options.selfCommand ?? [process.execPath, join(packageRoot, "dist/main.cjs")],
    warn,
    emit: (event) => events.emit(event),
  };

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

  const images = lazyImages(
    kernel,
    async () => (await imagesPart()).store,
    async (request) => {
      const { buildImage, containerRunStep } = await import("./builder/index.js");
      const { store } = await imagesPart();
      return await buildImage(
        { ctx, storage: await storage(), images: store, runStep: containerRunStep(containers) },
        request,
      );
    },
  );
  const networks: NetworksApi = {
    mend: async () => (await networking()).mend(),
    create: async (spec) => (await networking()).create(spec),
    remove: async (name) => (await networking()).remove(name),
    inspect: async (name) => (await networking()).inspect(name),
    find: async (name) => (await networking()).find(name),
    list: async (filter) => (await networking()).list(filter),
    trace: async (id, request) => (await networking()).trace(id, request),
  };

  const openedDisk = once<DiskApi>(async () => {
    const [{ openDisk }, { DEFAULT_NETWORK }] = await Promise.all([
      import("./disk/index.js"),
      import("./network/index.js"),
    ]);
    const { store } = await imagesPart();
    return openDisk({ ctx, images: store, defaultNetwork: DEFAULT_NETWORK, containers, networks, volumes });
  });
  const disk: DiskApi = {
    usage: async (signal) => (await openedDisk()).usage(signal),
    plan: async (request, signal) => (await openedDisk()).plan(request, signal),
    prune: async (request, signal) => (await openedDisk()).prune(request, signal),
  };

  const openedLogins = once(async () => (await imagesPart()).store.logins());
  const logins: LoginsApi = {
    login: async (request) => (await openedLogins()).login(request),
    existing: async (request) => (await openedLogins()).existing(request),
    userOf: async (request) => (await openedLogins()).userOf(request),
    logout: async (request) => (await openedLogins()).logout(request),
    known: async (authFile) => (await openedLogins()).known(authFile),
  };

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
    images,
    networks,
    volumes,
    events,
    disk,
    logins,
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

/** The folder with `native/` and `dist/`, seen from dist/*.js, dist/chunks/*.js or src/engine/index.ts. */
function findPackageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let at = here; at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, "native")) && existsSync(join(at, "package.json"))) return at;
  }
  throw new TscError("TSC_NATIVE_MISSING", "the folder of the native programs is not found", {
    kind: "unavailable",
    hint: "npm run setup builds them",
  });
}

interface Once<T> {
  (): Promise<T>;
  /** Whether it was ever called. */
  used(): boolean;
}

function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.assign(get, { used: () => made !== undefined });
}

function lazyImages(kernel: Kernel, open: () => Promise<Images>, build: ImagesApi["build"]): ImagesApi {
  return {
    build,
    checkBuild: async (request) => (await import("./builder/index.js")).checkBuild(kernel, request),
    pull: async (reference, options) => (await open()).pull(reference, options),
    push: async (reference, options) => (await open()).push(reference, options),
    pushArtifact: async (request) => (await open()).pushArtifact(request),
    fetchArtifact: async (reference, options) => (await open()).fetchArtifact(reference, options),
    find: async (reference, platform) => (await open()).find(reference, platform),
    inspect: async (reference, platform) => (await open()).inspect(reference, platform),
    list: async () => (await open()).list(),
    layerSizes: async (reference) => (await open()).layerSizes(reference),
    tag: async (source, target) => (await open()).tag(source, target),
    remove: async (reference, options) => (await open()).remove(reference, options),
    load: async (path, options) => (await open()).load(path, options),
    save: async (references, path) => (await open()).save(references, path),
    resolveDigest: async (reference) => (await open()).resolveDigest(reference),
  };
}
