/** What `info` prints: probed facts, and versions asked of each program once per boot and file. */
import { readFileSync, statSync } from "node:fs";
import { arch, availableParallelism, hostname, release, totalmem } from "node:os";
import type { SystemInfo } from "./api.js";
import type { EngineContext } from "./context.js";
import type { Networking } from "./network/types.js";
import type { HostFacts } from "./runtime/host.js";
import { chooseRuntime, findProgram } from "./runtime/oci-runtime.js";
import { saidVersion } from "./said-version.js";
import { countContainers } from "./state/containers.js";
import { countImages } from "./state/images.js";
import { metaOf, setMeta } from "./state/meta.js";
import type { Storage } from "./storage/index.js";
import type { MissingProgram } from "./types.js";

/** What `info` is told from. */
export interface InfoDeps {
  readonly ctx: EngineContext;
  readonly host: HostFacts;
  readonly storage: Storage;
  readonly networking: Networking;
}

type Needed = "always" | "one of" | "optional";

const PROGRAMS: readonly (readonly [name: string, why: string, install: string, needed: Needed])[] = [
  ["conmon", "watches every container", "apt-get install conmon", "always"],
  ["crun", "runs containers (the faster one)", "apt-get install crun", "one of"],
  ["runc", "runs containers", "apt-get install runc", "one of"],
  ["catatonit", "is the init of `init: true` services", "apt-get install catatonit", "optional"],
];

/** Collects everything; asks programs for their version only when their file changed since the last time. */
export async function systemInfo(deps: InfoDeps): Promise<SystemInfo> {
  const { ctx, host } = deps;
  const network = await deps.networking.info();
  const components: { name: string; path: string; version: string }[] = [];
  const missing: MissingProgram[] = [];
  for (const [name, why, install, needed] of PROGRAMS) {
    const path = findProgram(name);
    if (path !== undefined) components.push({ name, path, version: await versionOf(ctx, path) });
    else if (needed !== "one of")
      missing.push({ name, why, install, ...(needed === "optional" ? { optional: true } : {}) });
  }
  const hasRuntime = components.some(({ name }) => name === "crun" || name === "runc");
  if (!hasRuntime) missing.push({ name: "crun", why: "runs containers", install: "apt-get install crun" });
  const runtime = hasRuntime ? chooseRuntime(ctx, host, undefined) : undefined;
  if (deps.storage.driver === "vfs") {
    const why = "shares layers between containers, which are copied now";
    missing.push({ name: "fuse-overlayfs", why, install: "apt-get install fuse-overlayfs", optional: true });
  }
  const counts = countContainers(ctx.state);
  const images = countImages(ctx.state);
  const warnings: string[] = [];
  if (host.cgroups.parent === undefined) warnings.push(`no resource limits: ${host.cgroups.reason}`);
  else if (!host.cgroups.controllers.has("pids")) warnings.push("no pids limit: the host has no pids controller");
  if (host.singleId) warnings.push("one id is mapped: images with other users than root cannot run");
  return {
    rootless: ctx.rootless,
    userIds: host.userIds,
    root: ctx.paths.root,
    runRoot: ctx.paths.runRoot,
    storageDriver: deps.storage.driver,
    ociRuntime: runtime?.path ?? "",
    ociRuntimeReason: runtime?.reason ?? "",
    cgroups: host.cgroups.version,
    cgroupManager: host.cgroups.parent === undefined ? "disabled" : "cgroupfs",
    network: network.mode,
    hostname: hostname(),
    operatingSystem: distribution(),
    kernel: release(),
    architecture: arch(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    containers: counts.all,
    containersRunning: counts.running,
    containersPaused: counts.paused,
    images,
    components: [...components, ...network.components],
    warnings: [...warnings, ...network.warnings],
    missing: [...missing, ...network.missing],
  };
}

async function versionOf(ctx: EngineContext, path: string): Promise<string> {
  const { mtimeMs, size } = statSync(path);
  const key = `version:${path}`;
  const stamp = `${mtimeMs}-${size}`;
  const cached = metaOf(ctx.state, key);
  if (cached?.startsWith(`${stamp} `) === true) return cached.slice(stamp.length + 1);
  const version = /\d+\.\d+(?:\.\d+)?[0-9a-z.+~-]*/.exec(await saidVersion(ctx.kernel, path))?.[0] ?? "";
  // one that does not answer may do so next time
  if (version === "") return version;
  setMeta(ctx.state, key, `${stamp} ${version}`);
  return version;
}

/** https://www.freedesktop.org/software/systemd/man/os-release.html; `Linux` without one. */
function distribution(): string {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    const value = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1] ?? "";
    return value.replace(/^(["'])(.*)\1$/, "$2").slice(0, 200) || "Linux";
  } catch {
    return "Linux";
  }
}
