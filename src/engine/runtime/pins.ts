/**
 * Sources of mounts that lie inside a volume, an image or a build context. Whoever else has that folder can swap a folder in it for a link
 * at any time, and the runtime looks paths up again; so what was opened is bound to a mount point of our own, where nobody can
 * reach, and the runtime gets that one. The container keeps its own copy of the mount: pins live only from bundle to create.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, OpenedPath } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { type HostPlace, openBelow } from "../host-paths.js";
import type { RecordedMount } from "./record.js";

const folderOf = (bundle: string): string => join(bundle, "pins");

/** The mount with the source that the runtime is given: `source` itself, or a pin of `subpath` in it. `TSC_VOLUME_SUBPATH` when it is missing. */
export function pinned(kernel: Kernel, bundle: string, source: string, mount: RecordedMount): RecordedMount {
  const { subpath } = mount;
  if (subpath === undefined || subpath === "") return { ...mount, source };
  using opened = openSubpath(kernel, source, subpath, mount);
  return { ...mount, source: pin(kernel, bundle, opened) };
}

/** The path to give to the runtime for a path of the host: itself, or a pin where a container can have changed where it leads. Throws with the errno. */
export function pinnedSource(
  ctx: Pick<EngineContext, "kernel">,
  bundle: string,
  place: HostPlace,
  path: string,
): string {
  if (place.below === "") return path;
  using opened = openBelow(ctx, place);
  return pin(ctx.kernel, bundle, opened);
}

function pin(kernel: Kernel, bundle: string, opened: OpenedPath): string {
  const folder = folderOf(bundle);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, String(readdirSync(folder).length));
  if (opened.stat().isDirectory()) mkdirSync(path, { mode: 0o700 });
  else writeFileSync(path, "", { flag: "wx", mode: 0o600 });
  kernel.bindOpened(opened, path);
  return path;
}

function openSubpath(kernel: Kernel, source: string, subpath: string, mount: RecordedMount) {
  try {
    return kernel.openInRoot(source, subpath);
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    const reason = isMissing ? "" : ` that can be opened (${code})`;
    throw new TscError(
      "TSC_VOLUME_SUBPATH",
      `${mount.type} ${mount.name || mount.source}: no ${JSON.stringify(subpath)} inside it${reason}`,
      { kind: isMissing ? "not-found" : "unavailable", cause: error, exitCode: 125 },
    );
  }
}

/** Takes all pins of a bundle away, after a crash too; none is no error. */
export function unpin(kernel: Kernel, bundle: string): void {
  let names: string[];
  try {
    names = readdirSync(folderOf(bundle));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  for (const name of names) kernel.unmount(join(folderOf(bundle), name), { detach: true });
}
