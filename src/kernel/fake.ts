/**
 * A `Kernel` for unit tests: records every call in order and keeps just enough of a pretended world (mounts,
 * namespaces, locks, processes) for callers to go on. Touches nothing of the machine.
 */
import { EventEmitter } from "node:events";
import { statSync } from "node:fs";
import { Readable } from "node:stream";
import type { FileLock, Kernel, PacketSocket, ProcessIdentity, UnpackResult } from "./kernel.js";

/** One recorded call: the method's name and its arguments. */
interface KernelCall {
  readonly name: keyof Kernel;
  readonly args: readonly unknown[];
}

/** What the pretended machine is like. */
export interface FakeKernelOptions {
  readonly isRootless?: boolean;
  readonly hostUid?: number;
  readonly bootId?: string;
  /** Answer of `unpackLayer`. */
  readonly unpackResult?: UnpackResult;
  /** Called before each recorded call; throwing makes that call fail. */
  readonly before?: (call: KernelCall) => void;
}

/** A kernel that remembers what was asked of it. */
export interface FakeKernel extends Kernel {
  readonly calls: KernelCall[];
  /** `name arg arg` lines, for comparing as text. */
  transcript(): string;
  /** Adds a living process. */
  addProcess(process: ProcessIdentity): void;
  /** Ends a process; waiters resolve. */
  endProcess(pid: number): void;
  /** Files that `readFileInRoot` finds, by `root` + `path`. */
  readonly files: Map<string, Buffer>;
}

const EMPTY_DIGEST = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Makes a fake; nothing is shared between two of them. */
export function fakeKernel(options: FakeKernelOptions = {}): FakeKernel {
  const calls: KernelCall[] = [];
  const mounts = new Set<string>();
  const locks = new Map<string, { exclusive: boolean; holders: number; waiters: (() => void)[] }>();
  const processes = new Map<number, ProcessIdentity>();
  const records = new Map<string, ProcessIdentity>();
  const exits = new EventEmitter();
  const files = new Map<string, Buffer>();
  const record = (name: keyof Kernel, ...args: readonly unknown[]): void => {
    const call = { name, args };
    options.before?.(call);
    calls.push(call);
  };
  const isAlive = (process: ProcessIdentity): boolean => processes.get(process.pid)?.startTime === process.startTime;

  function tryLock(path: string, shared: boolean): FileLock | undefined {
    const held = locks.get(path);
    if (held !== undefined && (held.exclusive || !shared)) return undefined;
    const entry = held ?? { exclusive: !shared, holders: 0, waiters: [] };
    entry.holders++;
    locks.set(path, entry);
    let mine = true;
    const release = (): void => {
      if (!mine) return;
      mine = false;
      if (--entry.holders > 0) return;
      locks.delete(path);
      for (const wake of entry.waiters) wake();
    };
    return { release, [Symbol.dispose]: release };
  }

  return {
    calls,
    files,
    transcript: () => calls.map(({ name, args }) => [name, ...args.map(textOf)].join(" ")).join("\n"),
    addProcess: (process) => {
      processes.set(process.pid, process);
    },
    endProcess: (pid) => {
      processes.delete(pid);
      exits.emit(String(pid));
    },

    isRootless: options.isRootless ?? false,
    hostUid: options.hostUid ?? 0,
    bootId: () => options.bootId ?? "00000000-0000-4000-8000-000000000000",
    mount(source, target, type, flags, data) {
      record("mount", source, target, type, flags, data);
      mounts.add(target);
    },
    async mountOverlay(mount) {
      record("mountOverlay", mount);
      mounts.add(mount.target);
    },
    unmount(target, unmountOptions) {
      record("unmount", target, unmountOptions);
      mounts.delete(target);
    },
    isMountPoint: (path) => mounts.has(path),
    bindOpened(opened, target) {
      record("bindOpened", opened.path, target);
      mounts.add(target);
    },
    async createNetworkNamespace(path, sysctls) {
      record("createNetworkNamespace", path, sysctls);
      mounts.add(path);
    },
    removeNetworkNamespace(path) {
      record("removeNetworkNamespace", path);
      mounts.delete(path);
    },
    async joinBridge(join) {
      record("joinBridge", join);
      return {
        bridgeMac: "02:00:00:00:00:01",
        hostName: "veth0",
        hostMac: "02:00:00:00:00:02",
        mac: "02:00:00:00:00:03",
      };
    },
    readLinks: async () => [],
    async isolatePort(netns, name) {
      record("isolatePort", netns, name);
    },
    async removeLink(netns, name) {
      record("removeLink", netns, name);
    },
    async lockFile(path, lockOptions = {}) {
      record("lockFile", path);
      for (;;) {
        lockOptions.signal?.throwIfAborted();
        const lock = tryLock(path, lockOptions.shared ?? false);
        if (lock !== undefined || lockOptions.wait === false) return lock;
        await new Promise<void>((resolve, reject) => {
          locks.get(path)?.waiters.push(resolve);
          lockOptions.signal?.addEventListener("abort", () => reject(lockOptions.signal?.reason), { once: true });
        });
      }
    },
    shareLock: () => true,
    processIdentity: (pid) => processes.get(pid),
    recordProcess(path, process) {
      record("recordProcess", path, process);
      if (!isAlive(process)) return false;
      records.set(path, process);
      return true;
    },
    recordedProcess(path) {
      const recorded = records.get(path);
      return recorded !== undefined && isAlive(recorded) ? recorded : undefined;
    },
    isAlive,
    findProcesses: () => [],
    signal(process, signal) {
      record("signal", process, signal);
      return isAlive(process);
    },
    async forbidDevices(process) {
      record("forbidDevices", process);
    },
    async waitForExit(process, signal) {
      record("waitForExit", process);
      if (!isAlive(process)) return;
      await new Promise<void>((resolve, reject) => {
        exits.once(String(process.pid), () => resolve());
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
    async connectPacketSocket(path) {
      record("connectPacketSocket", path);
      return silentSocket();
    },
    async unpackLayer(unpackOptions, signal) {
      record("unpackLayer", { ...unpackOptions, input: undefined });
      signal?.throwIfAborted();
      const { input } = unpackOptions;
      let inputBytes = 0;
      if (typeof input !== "number") for await (const chunk of input) inputBytes += Buffer.byteLength(chunk);
      return (
        options.unpackResult ?? {
          diffId: EMPTY_DIGEST,
          inputDigest: EMPTY_DIGEST,
          inputBytes,
          sizeBytes: 0,
          entries: 0,
        }
      );
    },
    packLayer(packOptions) {
      record("packLayer", packOptions);
      return Readable.from([Buffer.alloc(1024)]);
    },
    async removeTree(path) {
      record("removeTree", path);
    },
    fileLabel: () => undefined,
    async relabelTree(opened, label) {
      record("relabelTree", opened.path, label);
    },
    readFileInRoot: (root, path, maxBytes) => files.get(`${root}${path}`)?.subarray(0, maxBytes),
    openInRoot(root, path, openOptions) {
      record("openInRoot", root, path, openOptions);
      const within = path.split("/").filter(Boolean).join("/");
      const host = within === "" ? root : `${root}/${within}`;
      return { descriptor: -1, path: host, within, stat: () => statSync(host), [Symbol.dispose]: () => {} };
    },
    hasLink: () => false,
    createMountPoint(root, path, kind) {
      record("createMountPoint", root, path, kind);
    },
    chown(path, uid, gid) {
      record("chown", path, uid, gid);
    },
    helperPath: (name) => `/native/${name}`,
    run(program, args) {
      record("run", program, args);
      throw new Error(`the fake kernel runs nothing: ${program}`);
    },
    spawn(program, args) {
      record("spawn", program, args);
      throw new Error(`the fake kernel spawns nothing: ${program}`);
    },
    inNetworkNamespace: (path, o) => [
      "/native/tsc-nsexec",
      "--net",
      path,
      ...(o?.binds ?? []).flatMap(([source, target]) => ["--bind", source, target]),
      "--",
    ],
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "-");
}

function silentSocket(): PacketSocket {
  return {
    onPacket: () => {},
    onEnd: () => {},
    write: async () => {},
    shutdownWrite: () => {},
    pause: () => {},
    resume: () => {},
    close: () => {},
  };
}
