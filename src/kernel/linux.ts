/**
 * The real `Kernel`: the N-API addon for system calls, helper programs for what needs a process of its own.
 * No decisions here beyond what a call needs to be safe.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, lchownSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { errnoOf, TscError } from "../lib/errors.js";
import { type Addon, loadAddon } from "./addon.js";
import type { Kernel, OpenedPath, ProcessIdentity } from "./kernel.js";
import { packLayer, unpackLayer } from "./layers.js";
import { lockFile } from "./locks.js";
import { mountOverlay, mountWith } from "./mounts.js";
import { connectPacketSocket } from "./packet-socket.js";

/** What the real kernel is opened with. */
export interface LinuxKernelOptions {
  /** Folder of the built native programs and the addon (native/build). */
  readonly nativeDir: string;
  /** uid outside the user namespace as the launcher saw it; default: read from /proc/self/uid_map. */
  readonly hostUid?: number;
}

/** Opens the real kernel; `TSC_NATIVE_MISSING` when the native part is not built. */
export function openLinuxKernel(options: LinuxKernelOptions): Kernel {
  const addon = loadAddon(join(options.nativeDir, "tscompose.node"));
  // What our caller left open (a shell's `7<file`) must reach neither conmon nor a container (CVE-2024-21626).
  addon.closeOnExecAll();
  const identity = readIdMap();
  const helperPath = (name: string): string => join(options.nativeDir, name);
  let boot: string | undefined;

  const processIdentity = (pid: number): ProcessIdentity | undefined => {
    const startTime = addon.startTime(pid);
    return startTime === undefined ? undefined : { pid, startTime };
  };

  return {
    isRootless: identity.isRootless,
    hostUid: options.hostUid ?? identity.hostUid,
    bootId: () => {
      boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return boot;
    },

    mount: (source, target, type, flags, data) => mountWith(addon, source, target, type, flags, data ?? ""),
    mountOverlay: (mount) => mountOverlay(addon, mount),
    unmount: (target, unmountOptions) => {
      addon.unmount(target, unmountOptions?.detach ?? false);
    },
    isMountPoint: (path) => addon.isMountPoint(path),
    bindOpened: ({ descriptor }, target) => addon.bindOpened(descriptor, target),

    async createNetworkNamespace(path, sysctls) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await addon.createNetworkNamespace(path, Object.entries(sysctls ?? {}).flatMap(sysctlPair));
    },
    removeNetworkNamespace: (path) => addon.removePin(path),
    joinBridge: (join) => addon.joinBridge(join),
    removeLink: (netns, name) => addon.removeLink(netns, name),
    isolatePort: (netns, name) => addon.isolatePort(netns, name),
    readLinks: (netns) => addon.readLinks(netns),

    lockFile: (path, lockOptions) => lockFile(addon, path, lockOptions),
    shareLock: (descriptor) => addon.lockTry(descriptor, true),

    processIdentity,
    findProcesses: (names, argument) =>
      readdirSync("/proc").flatMap((entry) => {
        if (!/^\d+$/.test(entry) || !hasArgument(entry, names, argument)) return [];
        return processIdentity(Number(entry)) ?? [];
      }),
    recordProcess: (path, process) => addon.recordProcess(path, process.pid, process.startTime),
    recordedProcess: (path) => addon.recordedProcess(path),
    isAlive: (process) => addon.startTime(process.pid) === process.startTime,
    signal: (process, signal) => addon.signalProcess(process.pid, process.startTime, signalNumber(signal)),
    waitForExit: (process, signal) => waitForExit(addon, process, signal),

    forbidDevices: (process) => addon.forbidDevices(process.pid, process.startTime),

    connectPacketSocket: (path) => connectPacketSocket(addon, path),

    unpackLayer: (unpackOptions, signal) => unpackLayer(helperPath("tsc-unpack"), unpackOptions, signal),
    packLayer: (packOptions) => packLayer(helperPath("tsc-pack"), packOptions),
    removeTree: (path) => addon.removeTree(path),
    readFileInRoot: (root, path, maxBytes) => addon.readFileInRoot(root, path, maxBytes),
    openInRoot: (root, path, o) =>
      opened(addon.openInRoot(root, path, o?.createDirectories ?? false, o?.uid ?? 0, o?.gid ?? 0, o?.mode ?? 0o755)),
    hasLink: (root, path) => addon.hasLink(root, path),
    createMountPoint: (root, path, kind) => addon.createMountPoint(root, path, kind === "file"),
    chown: (path, uid, gid) => lchownSync(path, uid, gid),
    fileLabel: ({ descriptor }) => addon.fileLabel(descriptor),
    relabelTree: ({ descriptor }, label) => addon.relabelTree(descriptor, label),

    helperPath,
    run: (program, args, { env, ...runOptions }) =>
      new Promise((resolve, reject) => {
        const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
        addon.run(program, args, pairs, runOptions, (error, result) => (error ? reject(error) : resolve(result)));
      }),
    spawn: (program, args, spawnOptions): ChildProcess => spawn(program, [...args], spawnOptions),
    inNetworkNamespace: (path, o) => [
      helperPath("tsc-nsexec"),
      "--net",
      path,
      ...(o?.binds ?? []).flatMap(([source, target]) => ["--bind", source, target]),
      "--",
    ],
  };
}

function waitForExit(addon: Addon, process: ProcessIdentity, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const handle = addon.watchProcess(process.pid, process.startTime, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    function abort(): void {
      if (handle !== undefined) addon.unwatch(handle);
      reject(signal?.reason);
    }
    if (handle === undefined) resolve();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

function opened({ descriptor, within }: { readonly descriptor: number; readonly within: string }): OpenedPath {
  let isOpen = true;
  return {
    descriptor,
    path: `/proc/self/fd/${descriptor}`,
    within,
    stat: () => fstatSync(descriptor),
    [Symbol.dispose]() {
      // the number may belong to another file by now
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** uid 0 mapped from another uid, or a map that is not the initial one, means that a launcher put us in a namespace. */
function readIdMap(): { isRootless: boolean; hostUid: number } {
  const first = readFileSync("/proc/self/uid_map", "utf8").split("\n")[0] ?? "";
  const [inside = 0, outside = 0, length = 0] = first.trim().split(/\s+/).map(Number);
  const isInitial = inside === 0 && outside === 0 && length === 4294967295;
  const uid = process.getuid?.() ?? 0;
  if (isInitial) return { isRootless: uid !== 0, hostUid: uid };
  return { isRootless: outside !== 0, hostUid: outside };
}

function hasArgument(pid: string, names: readonly string[], argument: string): boolean {
  try {
    if (!names.includes(readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd())) return false;
    if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument)) return false;
    // EPERM: somebody else's
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    // it ended meanwhile
    return false;
  }
}

function signalNumber(signal: number | NodeJS.Signals): number {
  if (typeof signal === "number") return signal;
  const number: number | undefined = constants.signals[signal];
  if (number === undefined)
    throw new TscError("TSC_SIGNAL_UNKNOWN", `no such signal: ${signal}`, { kind: "invalid-input" });
  return number;
}

/** `net.ipv4.ip_forward` → path and value; only net.* belongs to a network namespace. */
function sysctlPair([key, value]: [string, string]): [string, string] {
  // sysctl(8): when a slash comes before any dot, slashes separate and dots are literal (interface names).
  const dot = key.indexOf(".");
  const slash = key.indexOf("/");
  const parts = slash !== -1 && (dot === -1 || slash < dot) ? key.split("/") : swapSeparators(key);
  const isUnsafe = parts.some((part) => part === "" || part === "." || part === "..");
  if (parts[0] !== "net" || isUnsafe)
    throw new TscError("TSC_SYSCTL_REFUSED", `sysctl ${JSON.stringify(key)} does not belong to a network namespace`, {
      kind: "invalid-input",
      hint: "only net.* can be set per network namespace",
    });
  return [`/proc/sys/${parts.join("/")}`, value];
}

function swapSeparators(key: string): string[] {
  return key.split(".").map((part) => part.replaceAll("/", "."));
}
