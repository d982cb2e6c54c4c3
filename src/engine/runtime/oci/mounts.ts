/** The mount list of config.json. Pure: sources are host paths that somebody else has checked and made. */
import { posix } from "node:path";
import { TscError } from "../../../lib/errors.js";
import type { ContainerSpec } from "../../types.js";
import type { HostFacts } from "../host.js";
import type { RecordedMount } from "../record.js";
import type { OciMount } from "./types.js";

/** A mount with its real host source (volume mounted, subpath resolved). */
export interface SourcedMount extends RecordedMount {
  /** The source is no folder: nothing can be mounted below it. */
  readonly isFile?: boolean;
}

/** What a container's mounts are made of. */
export interface MountFacts {
  readonly mounts: readonly SourcedMount[];
  /** Files we bind: hosts, hostname, resolv.conf, injected files, init. */
  readonly binds: readonly FileBind[];
  /** /dev/shm of a container whose IPC namespace is joined, or of the host. */
  readonly shmSource: string | undefined;
  readonly hostNetwork: boolean;
}

/** A file of ours over one of the container. */
export interface FileBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** The container writes it: what it makes of it (a setuid program, a device) must mean nothing on the host. */
  readonly inert?: boolean;
}

/** docker's size of /dev/shm. */
export const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** Base file systems first, then everything asked for, parents before children; what is asked for replaces a base mount. */
export function mountList(spec: ContainerSpec, facts: MountFacts, host: HostFacts): OciMount[] {
  const asked: OciMount[] = [
    ...facts.binds.map((bind) => ({
      destination: cleanTarget(bind.target),
      type: "bind",
      source: bind.source,
      options: [
        "rbind",
        "rprivate",
        ...(bind.inert === true ? ["nosuid", "nodev", "noexec"] : []),
        ...(bind.readOnly ? ["ro"] : []),
      ],
    })),
    ...facts.mounts.map((mount) => userMount(mount, host)),
  ];
  const byTarget = new Map<string, OciMount>();
  for (const mount of asked) byTarget.set(mount.destination, mount);
  const base = baseMounts(spec, facts, host).filter((mount) => !byTarget.has(mount.destination));
  const sorted = [...byTarget.values()].sort((a, b) => depth(a.destination) - depth(b.destination));
  return [...base, ...sorted];
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}

/** PATH_MAX; `normalize` takes minutes for half a megabyte of `a/../`. */
const MAX_TARGET = 4096;

/** Absolute and normal; `TSC_MOUNT_TARGET` for `/`, a relative path or one that no system call takes. */
export function cleanTarget(target: string): string {
  if (target.length > MAX_TARGET) {
    throw new TscError("TSC_MOUNT_TARGET", `mount target of ${target.length} characters is too long`, {
      kind: "invalid-input",
    });
  }
  const clean = posix.normalize(target).replace(/(?<=.)\/+$/, "");
  if (!clean.startsWith("/") || clean === "/" || clean.includes("\0")) {
    throw new TscError("TSC_MOUNT_TARGET", `mount target ${JSON.stringify(target)} is not a path below /`, {
      kind: "invalid-input",
    });
  }
  return clean;
}

function userMount(mount: SourcedMount, host: HostFacts): OciMount {
  const destination = cleanTarget(mount.target);
  if (mount.type === "tmpfs") {
    const options = mount.tmpfsOptions ?? [];
    const mode = options.some((option) => option.startsWith("mode=")) ? [] : ["mode=1777"];
    return {
      destination,
      type: "tmpfs",
      source: "tmpfs",
      options: [
        ...new Set(["nosuid", "nodev", ...(options.includes("exec") ? [] : ["noexec"]), ...mode, ...options]),
      ].filter((option) => !options.includes(opposite(option))),
    };
  }
  const isDeep = mount.recursive !== "disabled";
  const given = mount.propagation ?? "rprivate";
  // crun takes the r of `rprivate` for that of `rbind`
  const propagation = isDeep ? given : given.replace(/^r/, "");
  const readOnly = !mount.readOnly ? [] : reachesSubmounts(mount) ? recursiveReadOnly(host) : ["ro"];
  return {
    destination,
    type: "bind",
    source: mount.source,
    options: [isDeep ? "rbind" : "bind", propagation, ...readOnly],
  };
}

/** Whether what is mounted below a read-only mount is to be read-only as well: docker's default since 25. crun fails on `rro` for a file. */
function reachesSubmounts(mount: Pick<SourcedMount, "recursive" | "isFile">): boolean {
  return mount.isFile !== true && mount.recursive !== "writable" && mount.recursive !== "disabled";
}

/** `ro` stays beside `rro`: a runtime that does not know the second word takes it for data of the file system. */
function recursiveReadOnly({ kernelVersion: [major, minor] }: HostFacts): readonly string[] {
  // mount_setattr(2)
  return major > 5 || (major === 5 && minor >= 12) ? ["ro", "rro"] : ["ro"];
}

/** `TSC_MOUNT_RECURSIVE` for a `recursive: readonly` that could not be kept: the mount is writable, or mounts may join it later. */
export function checkRecursive(mount: {
  readonly target: string;
  readonly readOnly?: boolean;
  readonly recursive?: string;
  readonly propagation?: string;
}): void {
  if (mount.recursive !== "readonly") return;
  const why =
    mount.readOnly !== true
      ? "the mount is not read-only"
      : !["private", "rprivate", undefined].includes(mount.propagation)
        ? `with propagation ${mount.propagation} other mounts may appear below it later`
        : undefined;
  if (why === undefined) return;
  throw new TscError("TSC_MOUNT_RECURSIVE", `mount ${mount.target}: recursive: readonly is not possible: ${why}`, {
    kind: "invalid-input",
    hint: "set read_only: true, and leave propagation out",
  });
}

const OPPOSITES: Readonly<Record<string, string>> = { nosuid: "suid", nodev: "dev", noexec: "exec", rw: "ro" };
function opposite(option: string): string {
  return OPPOSITES[option] ?? "\0";
}

const TMPFS_WORDS =
  /^(?:(?:no)?(?:exec|suid|dev|atime|diratime)|relatime|strictatime|rw|ro|sync|async|size=\d+[kKmMgG%]?|mode=0?[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kKmMgG]?|nr_blocks=\d+[kKmMgG]?|r?private|r?slave|r?shared)$/;

/** Raw tmpfs options checked against what tmpfs(5) knows; `TSC_TMPFS_OPTION`. */
export function checkTmpfsOptions(options: readonly string[]): string[] {
  for (const option of options) {
    if (!TMPFS_WORDS.test(option)) {
      throw new TscError("TSC_TMPFS_OPTION", `unknown tmpfs option ${JSON.stringify(option)}`, {
        kind: "invalid-input",
        hint: "known: size=, mode=, uid=, gid=, nr_inodes=, exec, noexec, suid, nosuid, dev, nodev, ro, rw",
      });
    }
  }
  return [...options];
}

function baseMounts(spec: ContainerSpec, facts: MountFacts, host: HostFacts): OciMount[] {
  const kernelFiles = spec.privileged === true && spec.readOnly !== true ? "rw" : "ro";
  const flags = ["nosuid", "noexec", "nodev"];
  const devpts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  if (host.hasTtyGroup) devpts.push("gid=5");
  const hostPid = spec.pid?.kind === "host" && host.rootless;
  const mounts: OciMount[] = [
    hostPid
      ? { destination: "/proc", type: "bind", source: "/proc", options: ["rbind", ...flags] }
      : { destination: "/proc", type: "proc", source: "proc", options: flags },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: devpts },
  ];
  // A fresh sysfs belongs to the owner of the network namespace: not ours when the host's is used from a user namespace.
  if (host.rootless && facts.hostNetwork) {
    mounts.push({
      destination: "/sys",
      type: "bind",
      source: "/sys",
      options: ["rbind", "rslave", ...recursiveReadOnly(host), ...flags],
    });
  } else {
    mounts.push({
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: [...flags, kernelFiles],
    });
    mounts.push({
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["rprivate", ...flags, "relatime", kernelFiles],
    });
  }
  mounts.push(
    host.rootless && spec.ipc?.kind === "host"
      ? { destination: "/dev/mqueue", type: "bind", source: "/dev/mqueue", options: ["bind", ...flags] }
      : { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: flags },
  );
  mounts.push(
    facts.shmSource === undefined
      ? {
          destination: "/dev/shm",
          type: "tmpfs",
          source: "shm",
          options: [...flags, "mode=1777", `size=${spec.shmSizeBytes ?? DEFAULT_SHM_BYTES}`],
        }
      : { destination: "/dev/shm", type: "bind", source: facts.shmSource, options: ["bind", "rprivate", ...flags] },
  );
  return mounts;
}
