/**
 * The only door to privileged work: mounts, namespaces, locks, pidfds, helper programs. Everything above
 * receives a `Kernel`; `linux.ts` is the real one (N-API addon + helper programs), `fake.ts` records calls
 * for unit tests. No decisions here. Failed system calls throw an Error with `code` (errno name), `syscall`
 * and `path`.
 */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { Stats } from "node:fs";

/** Identifies a process for ever: a pid alone may be reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot, as text. */
  readonly startTime: string;
}

/** A lock that is held. */
export interface FileLock extends Disposable {
  /** Releases; closing the process does too. */
  release(): void;
}

/** An AF_UNIX SOCK_SEQPACKET connection (conmon's attach socket). */
export interface PacketSocket {
  /** Called per packet; must be set before packets are read. End of stream calls `onEnd`. */
  onPacket(listener: (packet: Buffer) => void): void;
  onEnd(listener: () => void): void;
  /** Resolves when the kernel took the packet (≤ 32 KiB each; split by the caller). */
  write(data: Uint8Array): Promise<void>;
  shutdownWrite(): void;
  /** Stop / resume reading. The caller keeps its queue bounded and never pauses for long: conmon blocks on its clients. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** An overlay to mount. */
export interface OverlayMount {
  /** Top-most first. */
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  readonly target: string;
  /** Use user.overlay.* attributes (rootless). */
  readonly userxattr?: boolean;
  readonly volatile?: boolean;
  /** SELinux label that all files in it show, whatever they have below. */
  readonly context?: string;
}

/**
 * A file or folder that was looked up once. Whoever renames things or puts links on the way afterwards changes nothing: all use is by
 * descriptor. Lives until it is disposed.
 */
export interface OpenedPath extends Disposable {
  /** O_PATH. */
  readonly descriptor: number;
  /** Names the very thing to system calls of this process (`/proc/self/fd/N`); nothing to store or to give to another program. */
  readonly path: string;
  /** Where it lay below the root when it was opened, without a leading slash; "" for the root. To be shown and compared, never opened. */
  readonly within: string;
  stat(): Stats;
}

/** What becomes a tar. */
export interface PackOptions {
  /** A folder. An opened one may be disposed once the call has returned. */
  readonly source: string | OpenedPath;
  readonly overlay: boolean;
  readonly paths?: readonly string[];
}

/** A tar that becomes files. */
export interface UnpackOptions {
  /** Folder that the layer is unpacked into. An opened one may be disposed once the call has returned its promise. */
  readonly target: string | OpenedPath;
  /** Write whiteouts as overlay device nodes and `opaque` xattrs in this namespace; `apply` deletes instead (vfs). */
  readonly whiteouts: "trusted" | "user" | "apply";
  /** Give every entry to our own uid and gid (single-uid fallback). */
  readonly squashOwners?: boolean;
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** fd or stream of the (possibly gzip/zstd compressed) tar; the helper decompresses gzip itself. */
  readonly input: NodeJS.ReadableStream | number;
  /** Compression found by magic by the caller. `gzip` is inflated in the helper (zlib). */
  readonly compression: "none" | "gzip";
}

/** What was unpacked. */
export interface UnpackResult {
  /** `sha256:…` of the uncompressed tar. */
  readonly diffId: string;
  /** `sha256:…` of the bytes given. */
  readonly inputDigest: string;
  readonly inputBytes: number;
  readonly sizeBytes: number;
  readonly entries: number;
}

/** Everything that is asked of the kernel, or done by a helper program. Failures of system calls carry their `code`. */
export interface Kernel {
  readonly isRootless: boolean;
  /** uid of the person outside the user namespace. */
  readonly hostUid: number;
  /** /proc/sys/kernel/random/boot_id. */
  bootId(): string;

  mount(source: string, target: string, type: string, flags: readonly MountFlag[], data?: string): void;
  /** Overlay with any number of layers (new mount API, else short relative paths). */
  mountOverlay(mount: OverlayMount): Promise<void>;
  /** `detach` = MNT_DETACH. Not mounted is no error. */
  unmount(target: string, options?: { detach?: boolean }): void;
  isMountPoint(path: string): boolean;
  /** Mounts what is open, with all mounts below it, privately over `target` (a file over a file, a folder over a folder). */
  bindOpened(opened: OpenedPath, target: string): void;

  /** New network namespace with `lo` up, pinned by a bind mount on `path` (made by this call); optional sysctls are set inside. */
  createNetworkNamespace(path: string, sysctls?: Readonly<Record<string, string>>): Promise<void>;
  /** Unmounts and removes the pin; missing is no error. */
  removeNetworkNamespace(path: string): void;
  /**
   * Links a container's namespace to a bridge, which is made and raised if it is not there; a pinned namespace also begins to forward.
   * Half of it may be left after an error.
   */
  joinBridge(join: BridgeJoin): Promise<BridgeLinks>;
  /** Removes a link in the namespace pinned at `netns` ("" for ours), and its other end; a missing one is no error. */
  removeLink(netns: string, name: string): Promise<void>;
  /** Marks a port of a bridge in that namespace as `isolated` (see `BridgeJoin`). */
  isolatePort(netns: string, name: string): Promise<void>;
  /** The links of the namespace pinned at `netns` ("" for ours). */
  readLinks(netns: string): Promise<NetworkLink[]>;

  /** flock(2) on a file made 0600; undefined when somebody else holds it and `wait` is false. */
  lockFile(
    path: string,
    options?: { wait?: boolean; shared?: boolean; signal?: AbortSignal },
  ): Promise<FileLock | undefined>;
  /** Shared flock(2) on an open file for as long as it is open; false when somebody holds it alone at this moment. */
  shareLock(descriptor: number): boolean;

  /** Undefined when there is no such process or it is a zombie. Reads /proc/PID/stat. */
  processIdentity(pid: number): ProcessIdentity | undefined;
  isAlive(process: ProcessIdentity): boolean;
  /**
   * Writes a process down in a file of ours, with its boot and the file it runs, so that it is known again whatever other processes call
   * themselves; false when it is gone. The launcher reads such files too (native/common/process-record.h).
   */
  recordProcess(path: string, process: ProcessIdentity): boolean;
  /** The living process that `recordProcess` (or a native program of ours) wrote down; undefined when it is gone or runs another file. */
  recordedProcess(path: string): ProcessIdentity | undefined;
  /**
   * Live processes that we may signal with one of these names (comm) and an argument that is exactly this. Looks at every process there is.
   * Anybody can choose such a name: this finds what a crash left unrecorded so that it ends, and is never a reason to trust it.
   */
  findProcesses(names: readonly string[], argument: string): ProcessIdentity[];
  /** Sends through a pidfd after comparing start times; false when that process is gone. */
  signal(process: ProcessIdentity, signal: number | NodeJS.Signals): boolean;
  /** Resolves when that process has ended (pidfd + poll; no busy loop). */
  waitForExit(process: ProcessIdentity, signal?: AbortSignal): Promise<void>;
  /** Makes the root mount of that process's own mount namespace `nodev`. */
  forbidDevices(process: ProcessIdentity): Promise<void>;

  connectPacketSocket(path: string): Promise<PacketSocket>;

  /** Confined unpack of one layer by the native helper; the target may hold rubbish after an error. */
  unpackLayer(options: UnpackOptions, signal?: AbortSignal): Promise<UnpackResult>;
  /** Tar of a folder's content (overlay upper → whiteouts as .wh. files when `overlay`), with our ids as 0-based ids. */
  packLayer(options: PackOptions): NodeJS.ReadableStream;
  /** Removes a tree without following links, crossing mounts or leaving `path`; missing is no error. */
  removeTree(path: string): Promise<void>;
  /** Opens `path` inside `root` (openat2 RESOLVE_IN_ROOT, O_NONBLOCK, regular files only), ≤ `maxBytes`; undefined when missing. */
  readFileInRoot(root: string, path: string, maxBytes: number): Buffer | undefined;
  /** Opens what `path` means inside `root`, all links resolved inside (openat2 RESOLVE_IN_ROOT); makes missing folders when asked. */
  openInRoot(
    root: string,
    path: string,
    options?: { createDirectories?: boolean; uid?: number; gid?: number; mode?: number },
  ): OpenedPath;
  /** Whether looking `path` up inside `root` meets a symbolic link, at its end too. What is missing is none. */
  hasLink(root: string, path: string): boolean;
  /** Makes an empty regular file or a folder at `path` inside `root` if nothing is there (mount points). */
  createMountPoint(root: string, path: string, kind: "file" | "directory"): void;
  chown(path: string, uid: number, gid: number): void;
  /** The SELinux label of what is open; undefined when it has none. */
  fileLabel(opened: OpenedPath): string | undefined;
  /**
   * Gives that label to what is open and, in a folder, to all below it in the same mount, through no link; the folder itself comes last. ENOTSUP
   * where its file system has no labels. It must stay open until the promise is settled.
   */
  relabelTree(opened: OpenedPath, label: string): Promise<void>;

  /** Absolute path of a native program. */
  helperPath(name: string): string;
  /**
   * Runs a program to its end off the event loop, without copying our page tables as fork does. Rejects only when it cannot be started
   * (an Error with `code`, like spawn's 'error'); after `timeoutMs` or too much output it is killed and the result says so.
   */
  run(program: string, args: readonly string[], options: RunProgramOptions): Promise<RunProgramResult>;
  /** Spawns with stdio as given and every other descriptor closed. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** argv prefix that runs a program inside a pinned network namespace, with private mounts, e.g. for CNI plugins rootless. `binds` are [source, target]. */
  inNetworkNamespace(path: string, options?: { binds?: readonly (readonly [string, string])[] }): readonly string[];
}

/** A link between a bridge and a container's network namespace. Addresses carry their prefix length. */
export interface BridgeJoin {
  /** Pin of the namespace the bridge is in; "" for ours. */
  readonly site: string;
  readonly bridge: string;
  /** The bridge's own addresses. */
  readonly gateways: readonly string[];
  /** Pin of the container's namespace. */
  readonly netns: string;
  /** The container's end. */
  readonly name: string;
  /** "" for one the kernel chooses. */
  readonly mac: string;
  /** 0 for the kernel's default. */
  readonly mtu: number;
  readonly addresses: readonly string[];
  /** Pairs of destination and gateway. */
  readonly routes: readonly string[];
  /** The container may reach itself through the bridge (published ports of its own). */
  readonly hairpin: boolean;
  /** Its frames reach the bridge itself and no other port with this mark. */
  readonly isolated: boolean;
}

/** The links that were made for one container. */
export interface BridgeLinks {
  readonly bridgeMac: string;
  /** The end on the bridge. */
  readonly hostName: string;
  readonly hostMac: string;
  readonly mac: string;
}

/** A link of a network namespace. */
export interface NetworkLink {
  readonly name: string;
  readonly isUp: boolean;
  /** The bridge it is a port of; "" for none. */
  readonly master: string;
  /** Without prefix length. */
  readonly addresses: readonly string[];
}

/** How `Kernel.run` runs a program. Descriptors that are not named are /dev/null (0, 1, 2) or closed. */
export interface RunProgramOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A session of its own: a ^C at our terminal is not for it. */
  readonly newSession?: boolean;
  /** What it reads on `inputDescriptor` (0 unless told); the pipe is closed behind it. */
  readonly input?: string;
  /** Writes one zero byte instead of `input`. */
  readonly zeroByte?: boolean;
  readonly inputDescriptor?: number;
  /** A descriptor of the child of which the first line is waited for, also after the program has ended. */
  readonly lineDescriptor?: number;
  /** Does not read what the program prints. */
  readonly noStdout?: boolean;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Bytes; default 4 MiB. Standard error is cut at 64 KiB. */
  readonly stdoutLimit?: number;
}

/** How a program ended, and what it wrote. */
export interface RunProgramResult {
  /** 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The first bytes of `lineDescriptor` up to a newline or its end; undefined when there were none. */
  readonly line?: string;
  readonly timedOut: boolean;
  /** More output than `stdoutLimit`. */
  readonly overflow: boolean;
}

/** Flags of mount(2), by our names for them; `rec` and the words with `r` in front are recursive. */
export type MountFlag =
  | "bind"
  | "rec"
  | "ro"
  | "nosuid"
  | "nodev"
  | "noexec"
  | "remount"
  | "private"
  | "rprivate"
  | "shared"
  | "rshared"
  | "slave"
  | "rslave"
  | "relatime"
  | "noatime"
  | "strictatime";
