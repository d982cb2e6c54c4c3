/**
 * The folder that lies under every container's layers with the mount points each one gets. Without it the runtime makes them in
 * every container's writable layer: a copy of /etc and half a dozen files that an image rarely brings. Docker's is called the init layer.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { Scratch } from "./scratch.js";

const FOLDERS = ["dev", "etc", "proc", "sys"];
const FILES = ["etc/hosts", "etc/hostname", "etc/resolv.conf"];

/** Path of that folder inside `root`; made when it is not there, whole or not at all. */
export async function mountPointsLayer(root: string, scratch: Scratch): Promise<string> {
  const path = join(root, "mount-points");
  if (existsSync(path)) return path;
  await using place = scratch.folder();
  const folder = join(place.path, "layer");
  for (const name of [".", ...FOLDERS]) mkdirSync(join(folder, name));
  for (const name of FILES) closeSync(openSync(join(folder, name), "wx"));
  // Containers' users walk through it, whatever our umask is.
  for (const name of [".", ...FOLDERS]) chmodSync(join(folder, name), 0o755);
  for (const name of FILES) chmodSync(join(folder, name), 0o644);
  try {
    renameSync(folder, path);
  } catch (error) {
    // another command was first
    if (errnoOf(error) !== "ENOTEMPTY" && errnoOf(error) !== "EEXIST") throw error;
  }
  return path;
}
