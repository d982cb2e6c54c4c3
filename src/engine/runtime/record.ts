/** What the engine remembers of a container beside its spec: the choices made once, at create. Plain data. */
import type { Labels } from "../selinux/index.js";
import type { Healthcheck, ImageConfig, PortMapping, ResolvedMount } from "../types.js";

/** Stored as JSON in the row's `record`. */
export interface ContainerRecord {
  /** The image's config as it was at create; absent for a rootfs container. */
  readonly image?: ImageConfig;
  /** chainId of the image's top layer; empty for an empty rootfs. */
  readonly topChainId: string;
  /** Entrypoint then command. */
  readonly argv: readonly string[];
  readonly hostname: string;
  /** Mounts in the order asked for, anonymous volumes with the names they got. */
  readonly mounts: readonly RecordedMount[];
  /** Merged from spec and image; absent when there is none or it is `NONE`. */
  readonly healthcheck?: Healthcheck;
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  readonly logPath: string;
  /** SELinux labels, from the first start with a policy that has them. */
  readonly selinux?: Labels;
  /** Set at each start. */
  readonly runtime?: RuntimeChoice;
  /** Absolute cgroup path below each hierarchy's root, `` when the container has none. Set at each start. */
  readonly cgroupPath?: string;
  /** AppArmor profile of the last start; absent without AppArmor. */
  readonly apparmor?: string;
  /** Published ports of the last start. */
  readonly ports?: readonly PortMapping[];
}

/** A mount as the container's record keeps it. */
export interface RecordedMount extends ResolvedMount {
  readonly subpath?: string;
  readonly noCopy?: boolean;
  readonly propagation?: string;
  readonly recursive?: string;
  readonly createHostPath?: boolean;
  readonly selinux?: "z" | "Z";
  readonly tmpfsOptions?: readonly string[];
}

/** Which OCI runtime runs a container, and how it must be called. */
export interface RuntimeChoice {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  /** Run below `tsc-nsexec --hide-unified`. */
  readonly hideUnified: boolean;
  readonly reason: string;
}
