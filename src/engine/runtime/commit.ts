/** An image from a container. */
import type { ContainersApi } from "../api.js";
import { commitContainer as commit } from "../copy/index.js";
import type { RuntimeDeps } from "./deps.js";
import { wholeSpec } from "./inspect.js";
import { findContainer } from "./lookup.js";
import { pauseContainer, unpauseContainer } from "./stop.js";

/** The image's id; the container is paused meanwhile where its cgroup can do that. `TSC_CONTAINER_NOT_FOUND`. */
export async function commitContainer(
  deps: RuntimeDeps,
  id: string,
  options: Parameters<ContainersApi["commit"]>[1],
): Promise<string> {
  const { ctx } = deps;
  const row = findContainer(ctx, id);
  const canPause = row.state === "running" && (row.record.cgroupPath ?? "") !== "";
  const pause = async () => {
    await pauseContainer(deps, row);
    return async () => await unpauseContainer(deps, findContainer(ctx, row.id));
  };
  const { store } = await deps.images();
  return await commit(
    { ctx, storage: await deps.storage(), images: store },
    { id: row.id, name: row.name, spec: wholeSpec(ctx, row), imageId: row.imageId, ...(canPause ? { pause } : {}) },
    options,
  );
}
