/** A container's files opened for copying, whether it runs or not. */
import { posix } from "node:path";
import { TscError } from "../../lib/errors.js";
import { ContainerTree, openMount } from "../container-tree.js";
import type { EngineContext } from "../context.js";
import { hostPlace } from "../host-paths.js";
import { mountLabel } from "../selinux/index.js";
import type { ContainerRow } from "../state/containers.js";
import type { Storage } from "../storage/index.js";
import { openVolumes, type Volumes } from "../volumes/index.js";

/** What copying works with. */
export interface CopyDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
}

/** What of a container's row copying looks at. */
export type CopyTarget = Pick<ContainerRow, "id" | "name" | "state"> & {
  readonly spec: Pick<ContainerRow["spec"], "rootfs" | "readOnly">;
  readonly record: Pick<ContainerRow["record"], "mounts" | "selinux">;
};

/** Runs `work` over the container's files; the rootfs of one that does not run is mounted for it. */
export async function withTree<T>(
  deps: CopyDeps,
  target: CopyTarget,
  work: (tree: ContainerTree) => Promise<T>,
): Promise<T> {
  const { tree, release } = await openTree(deps, target);
  try {
    return await work(tree);
  } finally {
    await release();
  }
}

/** As `withTree`, for work that goes on after the call: `release` ends it. `root` is where the rootfs is mounted. */
export async function openTree(
  deps: CopyDeps,
  target: CopyTarget,
  withMounts = true,
): Promise<{ tree: ContainerTree; root: string; release: () => Promise<void> }> {
  const { kernel } = deps.ctx;
  const { rootfs, readOnly = false } = target.spec;
  const isUp = ["running", "paused", "restarting"].includes(target.state);
  const root = rootfs ?? (await deps.storage.mountRootfs(target.id, mountLabel(target.record.selinux)));
  let tree: ContainerTree | undefined;
  const release = async (): Promise<void> => {
    tree?.[Symbol.dispose]();
    if (!isUp && rootfs === undefined) await deps.storage.unmountRootfs(target.id);
  };
  try {
    tree = new ContainerTree(kernel, root, readOnly);
    const volumes = openVolumes(deps.ctx);
    const depth = (path: string): number => path.split("/").filter(Boolean).length;
    const outermostFirst = target.record.mounts.toSorted((a, b) => depth(a.target) - depth(b.target));
    for (const mount of withMounts ? outermostFirst : []) {
      if (mount.type !== "bind" && mount.type !== "volume") continue;
      const { whole, below } = await sourceOf(deps.ctx, mount, volumes);
      tree.mount(mount.target, openMount(kernel, whole, below), mount.readOnly);
    }
    return { tree, root, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A folder and what of it is mounted; a bind source that a container may have swapped lies in the folder that it can write. */
async function sourceOf(
  ctx: EngineContext,
  mount: CopyTarget["record"]["mounts"][number],
  volumes: Volumes,
): Promise<{ readonly whole: string; readonly below: string }> {
  const { subpath = "" } = mount;
  if (mount.type === "volume") return { whole: await volumes.mount(mount.name), below: subpath };
  const { folder, below } = hostPlace(ctx, mount.source);
  return below === "" ? { whole: mount.source, below: subpath } : { whole: folder, below: posix.join(below, subpath) };
}

/** `TSC_COPY_NOT_FOUND`. */
export function missing(target: CopyTarget, path: string): TscError {
  return new TscError("TSC_COPY_NOT_FOUND", `no such path in container ${target.name}: ${path}`, { kind: "not-found" });
}
