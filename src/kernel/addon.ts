/**
 * The shape of native/build/tscompose.node and how it is loaded. Nothing outside src/kernel imports this.
 * Failed calls throw an Error with `code`, `errno`, `syscall` and `path`.
 */
import { TscError } from "../lib/errors.js";
import type {
  BridgeJoin,
  BridgeLinks,
  NetworkLink,
  ProcessIdentity,
  RunProgramOptions,
  RunProgramResult,
} from "./kernel.js";

/** An opaque native object. */
export type Handle = { readonly __handle: unique symbol };

/** What the addon exports; one line of meaning each stands beside the C functions. */
export interface Addon {
  mount(source: string, target: string, type: string, flags: number, data: string): void;
  mountSetAttributes(path: string, set: number, clear: number, recursive: boolean): void;
  mountOverlay(options: {
    lower: readonly string[];
    upper: string | undefined;
    work: string | undefined;
    target: string;
    userxattr: boolean;
    volatile: boolean;
    context: string | undefined;
    legacy: boolean;
  }): Promise<void>;
  bindOpened(descriptor: number, target: string): void;
  unmount(target: string, detach: boolean): boolean;
  isMountPoint(path: string): boolean;
  createNetworkNamespace(path: string, sysctls: readonly string[]): Promise<void>;
  removePin(path: string): void;
  joinBridge(join: BridgeJoin): Promise<BridgeLinks>;
  removeLink(netns: string, name: string): Promise<void>;
  isolatePort(netns: string, name: string): Promise<void>;
  readLinks(netns: string): Promise<NetworkLink[]>;
  lockTry(fd: number, shared: boolean): boolean;
  lockWait(fd: number, shared: boolean, callback: (error?: Error) => void): Handle;
  lockAbandon(handle: Handle): void;
  startTime(pid: number): string | undefined;
  signalProcess(pid: number, startTime: string, signal: number): boolean;
  watchProcess(pid: number, startTime: string, callback: () => void): Handle | undefined;
  unwatch(handle: Handle): void;
  forbidDevices(pid: number, startTime: string): Promise<void>;
  relabelTree(descriptor: number, label: string): Promise<void>;
  fileLabel(descriptor: number): string | undefined;
  recordProcess(path: string, pid: number, startTime: string): boolean;
  recordedProcess(path: string): ProcessIdentity | undefined;
  closeOnExecAll(): void;
  run(
    program: string,
    args: readonly string[],
    env: readonly string[],
    options: Omit<RunProgramOptions, "env">,
    callback: (error: Error | undefined, result: RunProgramResult) => void,
  ): void;
  packetConnect(path: string, onPacket: (packet: Buffer) => void, onEnd: () => void): Handle;
  packetRead(handle: Handle, reading: boolean): void;
  packetWrite(handle: Handle, data: Uint8Array, callback: (error?: Error) => void): void;
  packetShutdown(handle: Handle): void;
  packetClose(handle: Handle): void;
  openInRoot(
    root: string,
    path: string,
    createFolders: boolean,
    uid: number,
    gid: number,
    mode: number,
  ): { readonly descriptor: number; readonly within: string };
  hasLink(root: string, path: string): boolean;
  createMountPoint(root: string, path: string, isFile: boolean): void;
  readFileInRoot(root: string, path: string, maxBytes: number): Buffer | undefined;
  removeTree(path: string): Promise<void>;
}

/** Loads the addon; `TSC_NATIVE_MISSING` when it is not built or does not fit this machine. */
export function loadAddon(path: string): Addon {
  const holder = { exports: {} };
  try {
    process.dlopen(holder, path);
  } catch (cause) {
    throw new TscError("TSC_NATIVE_MISSING", `native addon ${path} cannot be loaded`, {
      kind: "unavailable",
      hint: "build it with `npm run build` (needs a C compiler, zlib and the Node-API headers)",
      cause,
    });
  }
  return holder.exports as Addon;
}
