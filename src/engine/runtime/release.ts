/** Gives back what a run of a container used: watch, network, runtime, mounts, files. Every step is idempotent. */
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing } from "../../lib/errors.js";
import { removeInjectedFiles } from "../secrets/index.js";
import type { ContainerRow } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf } from "./lookup.js";
import { deleteDead } from "./oci-runtime.js";
import { unpin } from "./pins.js";
import { unmountShm } from "./shm.js";
import { unsuperviseContainer } from "./supervise.js";

/** What stays of a container that has ended. */
export interface ReleaseOptions {
  /** The supervisor goes on watching: a restart follows. */
  readonly keepWatch?: boolean;
}

/** Gives back everything a run used, in any state of half-done; the errors met, never thrown. */
export async function releaseResources(
  deps: RuntimeDeps,
  row: ContainerRow,
  options: ReleaseOptions = {},
): Promise<unknown[]> {
  const { ctx } = deps;
  const bundle = bundleOf(ctx, row.id);
  const errors: unknown[] = [];
  const attempt = async (work: () => Promise<unknown> | unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  };
  if (options.keepWatch !== true) await attempt(() => unsuperviseContainer(ctx, row.id));
  const runtime = row.record.runtime;
  await Promise.all([
    attempt(async () => {
      if (row.spec.networkMode?.kind !== "container") await (await deps.networking()).detach(row.id);
    }),
    attempt(async () => {
      if (runtime !== undefined) await deleteDead(ctx, deps.host(), runtime, row.record.cgroupPath ?? "", row.id);
      unpin(ctx.kernel, bundle);
      if (row.spec.rootfs === undefined) await (await deps.storage()).unmountRootfs(row.id);
      for (const mount of row.record.mounts) {
        if (mount.type === "image") await unmountImage(deps, row, mount.name);
      }
      unmountShm(ctx.kernel, bundle);
      await removeInjectedFiles(ctx.kernel, join(bundle, "files"));
      // Never into a mount that could not be taken away.
      await ctx.kernel.removeTree(bundle);
    }),
    attempt(() => unlink(join(ctx.paths.exits, row.id)).catch(ignoreMissing)),
  ]);
  return errors;
}

async function unmountImage(deps: RuntimeDeps, row: ContainerRow, reference: string): Promise<void> {
  const image = await (await deps.images()).inspect(reference);
  await (await deps.storage()).unmountImage(`${row.id}-${image.id.slice(7, 19)}`);
}
