/** What a build is asked for. */
import type { ProgressListener } from "../types.js";

/** What a build is asked for, in docker's terms. */
export interface BuildRequest {
  /** Absolute folder. */
  readonly context: string;
  /** Relative to the context or absolute; default `Dockerfile` (then `Containerfile`). */
  readonly dockerfile?: string;
  readonly dockerfileInline?: string;
  readonly tags: readonly string[];
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly platform?: string;
  /** One of several builds that share their names: an image for this machine has them, the others stand beside it. */
  readonly beside?: boolean;
  readonly network?: string;
  readonly shmSizeBytes?: number;
  readonly extraHosts?: readonly { readonly host: string; readonly ip: string }[];
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly secrets?: readonly { readonly id: string; readonly sourcePath?: string; readonly content?: string }[];
  /** What `RUN --mount=type=ssh` may ask for. */
  readonly ssh?: readonly SshForward[];
  readonly additionalContexts?: Readonly<Record<string, string>>;
  /** What the caller lets RUN steps ask for: the host's network, every capability. `network: "host"` is a grant of the first by itself. */
  readonly allow?: readonly Entitlement[];
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** Keys, or an agent, that steps may sign with, by the id that they name. */
export interface SshForward {
  readonly id: string;
  /** Absolute: private keys, or one agent's socket. None: the agent of SSH_AUTH_SOCK. */
  readonly paths: readonly string[];
}

/** BuildKit's words. */
export type Entitlement = "network.host" | "security.insecure";
