/**
 * Ends everything of an engine and removes its folders: containers, networks, helpers, mounts, the store and the run root. Done from inside
 * the user namespace, so that files of subordinate ids go as well.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { type MountLine, readMounts } from "../kernel/mount-table.js";
import { errnoOf } from "../lib/errors.js";
import { tearDown } from "../lib/teardown.js";
import type { ContainersApi, NetworksApi } from "./api.js";
import type { EngineContext } from "./context.js";

/** What a reset takes apart. */
export interface ResetDeps {
  readonly ctx: EngineContext;
  readonly containers: Pick<ContainersApi, "list" | "remove">;
  readonly networks: Pick<NetworksApi, "list" | "remove">;
  /** Closes the database; nothing of the engine works afterwards. */
  readonly close: () => Promise<void>;
}

/** Stops and removes all; the engine is closed afterwards. Files stay while there is a container or network that cannot be removed: all such are told. */
export async function resetEngine({ ctx, containers, networks, close }: ResetDeps): Promise<void> {
  const { kernel, paths } = ctx;
  const found = await containers.list();
  await tearDown(
    found.map(
      ({ id }) =>
        () =>
          containers.remove(id, { force: true, volumes: true }),
    ),
  );
  await tearDown(
    (await networks.list()).map(
      ({ name }) =>
        () =>
          networks.remove(name),
    ),
  );
  const supervisor = kernel.recordedProcess(join(paths.supervise, ".lock"));
  if (supervisor !== undefined && kernel.signal(supervisor, "SIGTERM")) await kernel.waitForExit(supervisor);
  const holder = ctx.rootless ? kernel.recordedProcess(join(paths.runRoot, "pause.pid")) : undefined;
  await close();
  // the namespaces live as long as this command: what is mounted in them goes first, their holder last
  for (const folder of [paths.root, paths.runRoot]) {
    for (const place of mountsBelow(readMounts("self"), folder)) {
      kernel.unmount(place, { detach: true });
    }
    for (const name of readdirSync(folder)) if (isOurs(name)) await kernel.removeTree(join(folder, name));
    removeFolder(folder);
  }
  if (holder !== undefined) kernel.signal(holder, "SIGTERM");
}

/** What engine, launcher and supervisor make in their two folders: a folder that somebody named may hold other things as well. */
const OURS: ReadonlySet<string> = new Set([
  ...["build", "containers", "images", "storage", "volumes"],
  ...[
    "exits",
    "locks",
    "netns",
    "network",
    "rootfs",
    "runtime",
    "seccomp",
    "supervise",
    "tmp",
    "pause.lock",
    "pause.pid",
  ],
]);

function isOurs(name: string): boolean {
  return OURS.has(name) || /^state\.db(?:-[a-z]+)?$/.test(name) || /^pause\.pid\.\d+$/.test(name);
}

/** Mount points below (not at) a folder, innermost first. Pure. */
export function mountsBelow(mounts: readonly MountLine[], folder: string): string[] {
  return mounts.flatMap(({ path }) => (path.startsWith(`${folder}/`) ? [path] : [])).reverse();
}

/** A folder that somebody mounted, or made where we may not remove it, stays, and one that holds something else. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!["EBUSY", "EACCES", "EPERM", "EROFS", "ENOTEMPTY"].includes(errnoOf(error) ?? "")) throw error;
  }
}
