/** Parts of the engine that are loaded when they are first used, as the faces that callers have from the start. */
import type { Kernel } from "../kernel/kernel.js";
import type { DiskApi, ImagesApi, LoginsApi, NetworksApi } from "./api.js";
import type { Images } from "./images/index.js";
import type { Networking } from "./network/types.js";

/** What is made once, when it is first asked for. */
interface Once<T> {
  (): Promise<T>;
  /** Whether it was ever called. */
  used(): boolean;
}

/** Makes it with the first call; a failure stays as well. */
export function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.assign(get, { used: () => made !== undefined });
}

/** Images and builds. */
export function lazyImages(kernel: Kernel, open: () => Promise<Images>, build: ImagesApi["build"]): ImagesApi {
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

/** Networks. */
export function lazyNetworks(open: () => Promise<Networking>): NetworksApi {
  return {
    mend: async () => (await open()).mend(),
    create: async (spec) => (await open()).create(spec),
    remove: async (name) => (await open()).remove(name),
    inspect: async (name) => (await open()).inspect(name),
    find: async (name) => (await open()).find(name),
    list: async (filter) => (await open()).list(filter),
    trace: async (id, request) => (await open()).trace(id, request),
  };
}

/** Disk use and prunes. */
export function lazyDisk(open: () => Promise<DiskApi>): DiskApi {
  return {
    usage: async (signal) => (await open()).usage(signal),
    plan: async (request, signal) => (await open()).plan(request, signal),
    prune: async (request, signal) => (await open()).prune(request, signal),
  };
}

/** Logins at registries. */
export function lazyLogins(open: () => Promise<LoginsApi>): LoginsApi {
  return {
    login: async (request) => (await open()).login(request),
    existing: async (request) => (await open()).existing(request),
    userOf: async (request) => (await open()).userOf(request),
    logout: async (request) => (await open()).logout(request),
    known: async (authFile) => (await open()).known(authFile),
  };
}
