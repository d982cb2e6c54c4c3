/** Where volumes lie on disk, and their lock. */
import { chmodSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { FileLock } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { ownedName } from "../owned-names.js";
import { takeLock } from "../take-lock.js";

/** Begins the name of a folder whose volume is gone. */
export const REMOVING = ".removing-";

type Placed = Pick<EngineContext, "paths">;

/** Everything of one volume. */
export function volumeFolder({ paths }: Placed, name: string): string {
  return join(paths.volumes, name);
}

/** A volume's content, whether it exists or not. */
export function dataFolder({ paths }: Placed, name: string): string {
  return join(paths.volumes, name, "_data");
}

/** Makes the folder of the volume's content; false when it was there. */
export function makeData(ctx: Placed, name: string): boolean {
  const data = dataFolder(ctx, name);
  if (existsSync(data)) return false;
  mkdirSync(volumeFolder(ctx, name), { recursive: true, mode: 0o700 });
  mkdirSync(data, { recursive: true });
  // mkdir's mode is narrowed by the umask; a volume's root must be readable by any user of the container.
  chmodSync(data, 0o755);
  return true;
}

/** Takes a volume's folder out of the way: its new name, or undefined when there is no such folder. */
export function setAside(ctx: Pick<EngineContext, "paths" | "kernel">, name: string): string | undefined {
  ctx.kernel.unmount(dataFolder(ctx, name), { detach: true });
  const doomed = join(ctx.paths.volumes, `${REMOVING}${ownedName(ctx.kernel)}`);
  try {
    renameSync(volumeFolder(ctx, name), doomed);
    return doomed;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Serialises work on one volume's content over all processes. */
export function lockVolume(ctx: EngineContext, name: string): Promise<FileLock> {
  return takeLock(ctx, `volume-${name}`, `volume ${name}`);
}
