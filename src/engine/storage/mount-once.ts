/** Folders that something is mounted on, made and taken away with the mount. */
import { mkdirSync, rmdirSync } from "node:fs";
import { errnoOf, ignoreMissing } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import type { StorageParts } from "./parts.js";

/** Mounts at `target` unless something is mounted there; callers at the same time wait for the same mount. The target. */
export function mountOnce(
  { ctx, mounting }: StorageParts,
  target: string,
  mount: (target: string) => Promise<void>,
): Promise<string> {
  const started = mounting.get(target);
  if (started !== undefined) return started;
  const work = (async () => {
    if (makeFolder(target) || !ctx.kernel.isMountPoint(target)) await mount(target);
    return target;
  })().finally(() => mounting.delete(target));
  mounting.set(target, work);
  return work;
}

/** Unmounts and removes the folder; nothing there is no error. */
export function unmountFolder(ctx: Pick<EngineContext, "kernel">, path: string): void {
  ctx.kernel.unmount(path, { detach: true });
  try {
    rmdirSync(path);
  } catch (error) {
    ignoreMissing(error);
  }
}

/** False when it was there. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}
