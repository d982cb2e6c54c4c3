/** Containers as the engine itself has them. Types only. */
import type { ContainersApi } from "../api.js";
import type { ContainerSpec } from "../types.js";

/** Containers plus what the supervisor's commands and the engine itself need. */
export interface Containers extends ContainersApi {
  /** A container for one step of a build, named after the build's process: with that process it goes, running or not. */
  createStep(spec: ContainerSpec): Promise<string>;
  /** Settles what crashes and exits left; at each open. */
  repair(): Promise<void>;
  /** `internal restart ID`: brings a container back whose policy says so. */
  restartByPolicy(id: string): Promise<void>;
  /** `internal cleanup ID`: settles an exit, and removes the container if it asked for that. */
  cleanup(id: string): Promise<void>;
}
