/** What every engine part is given, and where things lie on disk. Plain data; made once by `openEngine`. */
import type { Kernel } from "../kernel/kernel.js";
import type { State } from "./state/index.js";
import type { EngineEvent } from "./types.js";

/** Folders and files of one engine. Durable things lie under `root`, everything that dies with a reboot under `runRoot`. */
export interface EnginePaths {
  readonly root: string;
  readonly runRoot: string;
  /** root/state.db */
  readonly database: string;
  /** root/images: blobs/sha256/HEX, tmp/ */
  readonly images: string;
  /** root/storage: layers/SHORT/…, l/SHORT links, containers/ID/{upper,work} */
  readonly storage: string;
  /** root/containers/ID: log, hosts, hostname, resolv.conf */
  readonly containers: string;
  /** root/volumes/NAME/_data */
  readonly volumes: string;
  /** runRoot/locks: flock files */
  readonly locks: string;
  /** runRoot/netns: pins */
  readonly netns: string;
  /** runRoot/network: CNI configs and leases, dns/, portd/, slirp socket */
  readonly network: string;
  /** runRoot/containers/ID: conmon's attach, ctl, pid files */
  readonly containersRun: string;
  /** runRoot/rootfs/ID: merged mounts */
  readonly rootfs: string;
  /** runRoot/exits/ID: exit codes written by conmon */
  readonly exits: string;
  /** runRoot/supervise/ID: what the supervisor watches (protocol: native/supervisor.md) */
  readonly supervise: string;
}

/** What every part of an engine is given. */
export interface EngineContext {
  readonly paths: EnginePaths;
  readonly kernel: Kernel;
  readonly state: State;
  /** Process environment as given by the caller; read nothing from process.env below cli. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rootless: boolean;
  /** argv prefix that runs this program; the supervisor appends `internal restart ID` and the like. */
  readonly selfCommand?: readonly string[];
  readonly warn: (message: string) => void;
  /** Records an engine event (time is added). */
  readonly emit: (event: Omit<EngineEvent, "timeNano">) => void;
}
