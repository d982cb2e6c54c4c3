/** What this host gives to containers: cgroups, limits, capabilities. Reads /proc and /sys once; decides nothing else. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import { CGROUPS, hasSysFile, processFile, readProcessFile, setting, sysFile, textOf } from "../../kernel/proc.js";
import { errnoOf } from "../../lib/errors.js";
import { type SelinuxPolicy, selinuxPolicy } from "../selinux/index.js";
import type { IdRange } from "../types.js";
import { capabilitiesInMask } from "./oci/capabilities.js";

/** The loaded profiles, below /sys; there where securityfs is mounted. */
export const APPARMOR_PROFILES = "kernel/security/apparmor/profiles";

const CGROUP2_MAGIC = 0x63677270;

interface CgroupFacts {
  readonly version: "v1" | "v2" | "hybrid";
  /** Parent for our containers, absolute below each hierarchy's root; undefined when we may not make cgroups. */
  readonly parent: string | undefined;
  /** Controllers we may use. */
  readonly controllers: ReadonlySet<string>;
  /** Folders that hold a container's cgroup when `parent` is set: one per hierarchy (v1) or one (v2). */
  readonly hierarchies: readonly string[];
  readonly reason: string;
  /** memory+swap can be limited. */
  readonly hasSwap: boolean;
  /** Which device nodes a container may open is decided by its cgroup. */
  readonly filtersDevices: boolean;
}

/** What of this machine decides over containers. */
export interface HostFacts {
  readonly rootless: boolean;
  readonly singleId: boolean;
  readonly userIds: readonly IdRange[];
  readonly cgroups: CgroupFacts;
  readonly boundingCaps: ReadonlySet<string>;
  /** Hard limits as they are now, by RLIMIT_ name; Infinity is unlimited. */
  readonly hardLimits: ReadonlyMap<string, number>;
  readonly oomScoreAdj: number;
  /** Profiles can be loaded and given: by root, with AppArmor on and its interface mounted. */
  readonly apparmor: boolean;
  /** The loaded policy; undefined without SELinux. */
  readonly selinux: SelinuxPolicy | undefined;
  /** Go's name: amd64, arm64 … */
  readonly architecture: string;
  /** `[major, minor]` of the kernel. */
  readonly kernelVersion: readonly [number, number];
  /** gid 5 (tty) is mapped. */
  readonly hasTtyGroup: boolean;
}

/** Probes the host. `singleId`: the user namespace maps one id only. */
export function probeHost(options: { readonly rootless: boolean }): HostFacts {
  const status = readProcessFile("self", "status");
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const release = setting("kernel/osrelease") ?? "";
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const gids = idRanges("gid_map");
  return {
    rootless: options.rootless,
    singleId: options.rootless && gids.reduce((sum, { length }) => sum + length, 0) <= 1,
    userIds: idRanges("uid_map"),
    cgroups: probeCgroups(options.rootless),
    boundingCaps: capabilitiesInMask(bounding),
    hardLimits: readLimits(),
    oomScoreAdj: Number(readProcessFile("self", "oom_score_adj")),
    apparmor: !options.rootless && hasAppArmor() && hasSysFile(APPARMOR_PROFILES),
    selinux: selinuxPolicy(),
    architecture: goArchitecture(arch()),
    kernelVersion: [Number(major), Number(minor)],
    hasTtyGroup: gids.some(({ inside, length }) => inside <= 5 && 5 < inside + length),
  };
}

/** Whether this kernel enforces AppArmor profiles, whoever may choose them. */
export function hasAppArmor(): boolean {
  return (sysFile("module/apparmor/parameters/enabled") ?? "").startsWith("Y");
}

function idRanges(name: "uid_map" | "gid_map"): readonly IdRange[] {
  return readProcessFile("self", name)
    .trim()
    .split("\n")
    .map((line) => {
      const [inside = 0, outside = 0, length = 0] = line.trim().split(/\s+/).map(Number);
      return { inside, outside, length };
    });
}

function goArchitecture(node: string): string {
  return { x64: "amd64", ia32: "386", arm64: "arm64", arm: "arm", ppc64: "ppc64le" }[node] ?? node;
}

function noCgroups(version: CgroupFacts["version"], reason: string): CgroupFacts {
  return {
    version,
    parent: undefined,
    controllers: new Set(),
    hierarchies: [],
    reason,
    hasSwap: false,
    filtersDevices: false,
  };
}

function probeCgroups(rootless: boolean): CgroupFacts {
  if (!existsSync(CGROUPS)) return noCgroups("v1", `${CGROUPS} is not there`);
  const own = processFile("self", "cgroup") ?? "";
  if (statfsSync(CGROUPS).type === CGROUP2_MAGIC) return probeUnified(rootless, own);
  const mixed = join(CGROUPS, "unified");
  const hasUnified = existsSync(mixed) && statfsSync(mixed).type === CGROUP2_MAGIC;
  const version = hasUnified ? "hybrid" : "v1";
  const named = own.split("\n").flatMap((line) => {
    const [, names = ""] = line.split(":");
    return names === "" ? [] : [names];
  });
  const hierarchies = named.map((names) => join(CGROUPS, names.replace(/^name=/, "")));
  const controllers = new Set(named.flatMap((names) => names.split(",")).filter((name) => !name.startsWith("name=")));
  if (rootless) return noCgroups(version, `cgroup ${version} cannot be delegated to an ordinary user`);
  if (hierarchies.length === 0) return noCgroups(version, "the kernel has no cgroup hierarchy");
  if (!hierarchies.every((folder) => isWritable(folder))) return noCgroups(version, `${CGROUPS} is not writable`);
  const unified = hasUnified ? [mixed] : [];
  return {
    version,
    parent: "/tscompose",
    controllers,
    hierarchies: [...hierarchies.filter((folder) => existsSync(folder)), ...unified],
    reason: "",
    hasSwap: existsSync(join(CGROUPS, "memory/memory.memsw.limit_in_bytes")),
    filtersDevices: controllers.has("devices"),
  };
}

function probeUnified(rootless: boolean, own: string): CgroupFacts {
  const root = CGROUPS;
  const controllersOf = (folder: string): Set<string> =>
    new Set((textOf(join(folder, "cgroup.controllers")) ?? "").trim().split(/\s+/).filter(Boolean));
  if (!rootless) {
    if (!isWritable(root)) return noCgroups("v2", `${CGROUPS} is not writable`);
    return {
      version: "v2",
      parent: "/tscompose",
      controllers: controllersOf(root),
      hierarchies: [root],
      reason: "",
      hasSwap: true,
      // by eBPF: a runtime that cannot load its program fails
      filtersDevices: true,
    };
  }
  const path = /^0::(\/.*)$/m.exec(own)?.[1] ?? "/";
  // Moving a process needs write access to the common ancestor: the topmost folder of ours above our own cgroup.
  let top: string | undefined;
  for (let at = path; at !== "/" && at !== "."; at = dirname(at)) {
    if (!isWritable(join(root, at, "cgroup.procs"))) break;
    top = at;
  }
  if (top === undefined || top === path) {
    return noCgroups("v2", "no cgroup is delegated to this user; log in through systemd or set Delegate=yes");
  }
  const controllers = controllersOf(join(root, top));
  return {
    version: "v2",
    parent: join(top, "tscompose"),
    controllers,
    hierarchies: [root],
    reason: "",
    hasSwap: true,
    filtersDevices: false,
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

const LIMIT_NAMES: readonly (readonly [label: string, name: string])[] = [
  ["Max cpu time", "RLIMIT_CPU"],
  ["Max file size", "RLIMIT_FSIZE"],
  ["Max data size", "RLIMIT_DATA"],
  ["Max stack size", "RLIMIT_STACK"],
  ["Max core file size", "RLIMIT_CORE"],
  ["Max resident set", "RLIMIT_RSS"],
  ["Max processes", "RLIMIT_NPROC"],
  ["Max open files", "RLIMIT_NOFILE"],
  ["Max locked memory", "RLIMIT_MEMLOCK"],
  ["Max address space", "RLIMIT_AS"],
  ["Max file locks", "RLIMIT_LOCKS"],
  ["Max pending signals", "RLIMIT_SIGPENDING"],
  ["Max msgqueue size", "RLIMIT_MSGQUEUE"],
  ["Max nice priority", "RLIMIT_NICE"],
  ["Max realtime priority", "RLIMIT_RTPRIO"],
  ["Max realtime timeout", "RLIMIT_RTTIME"],
];

function readLimits(): Map<string, number> {
  const limits = new Map<string, number>();
  const text = readProcessFile("self", "limits");
  for (const [label, name] of LIMIT_NAMES) {
    const hard = new RegExp(`^${label}\\s+\\S+\\s+(\\S+)`, "m").exec(text)?.[1];
    if (hard !== undefined) limits.set(name, hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard));
  }
  return limits;
}
