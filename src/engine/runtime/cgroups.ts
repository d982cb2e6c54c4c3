/** A container's cgroups after its death: kills stragglers, removes the folders. */
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { HostFacts } from "./host.js";

/** Cgroup of a container below each hierarchy's root; empty when this host gives us none. */
export function cgroupPathOf(host: HostFacts, id: string, parent: string | undefined): string {
  if (host.cgroups.parent === undefined) return "";
  const clean = (parent ?? "").split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  return parent === undefined || clean.length === 0 ? `${host.cgroups.parent}/${id}` : `/${clean.join("/")}/${id}`;
}

/** True when nothing is left. False when a folder is still busy: the runtime's own `delete --force` must do it. */
export async function removeCgroups(host: HostFacts, cgroupPath: string): Promise<boolean> {
  if (cgroupPath === "") return true;
  const results = await Promise.all(host.cgroups.hierarchies.map((root) => removeCgroup(join(root, cgroupPath))));
  return results.every(Boolean);
}

async function removeCgroup(folder: string): Promise<boolean> {
  const first = await tryRemove(folder);
  if (first !== "EBUSY") return first === undefined;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !(await removeCgroup(join(folder, entry.name)))) return false;
  }
  // Processes that outlived init share the host's pid namespace; cgroup.kill takes them all (v2).
  const hasKilled = await writeFile(join(folder, "cgroup.kill"), "1").then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === undefined) throw error;
      return false;
    },
  );
  if (!hasKilled && (await readFile(join(folder, "cgroup.procs"), "utf8")).trim() !== "") return false;
  return (await tryRemove(folder)) === undefined;
}

/** undefined when it is gone, else the errno. */
async function tryRemove(folder: string): Promise<string | undefined> {
  try {
    await rmdir(folder);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    return code === "ENOENT" ? undefined : code === "ENOTEMPTY" ? "EBUSY" : code;
  }
}
