/** Commands that run beside the one of a container. */
import { structOf } from "./kinds.js";
import type { Environment, Extensible, ShellCommand } from "./values.js";

/** A command around a container's life (`pre_start`, `post_start`, `pre_stop`), or after a sync of `develop.watch` (`exec`). */
export interface Hook extends Extensible {
  readonly command: ShellCommand;
  /** `pre_start` only: the image to run; the service's when it was not given. */
  readonly image?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  readonly environment?: Environment;
  readonly per_replica?: boolean;
}

/** How a hook is read. */
export const HOOK = structOf<Hook>({
  command: "shell",
  image: "string",
  user: "string",
  privileged: "bool",
  working_dir: "string",
  environment: "environment",
  per_replica: "bool",
});
