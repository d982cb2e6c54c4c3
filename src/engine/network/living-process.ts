/** The process whose network namespace a container's row speaks of. */
import type { Kernel } from "../../kernel/kernel.js";
import type { ContainerRow } from "../state/containers.js";

/** Its pid; undefined when the row or the kernel says that it does not run. */
export function livingProcess(
  kernel: Pick<Kernel, "isAlive">,
  { state, pid, pidStart }: Pick<ContainerRow, "state" | "pid" | "pidStart">,
): number | undefined {
  const isUp = state === "running" || state === "paused";
  return isUp && kernel.isAlive({ pid, startTime: pidStart }) ? pid : undefined;
}
