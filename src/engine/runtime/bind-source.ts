/** The source of a bind mount on the host: made when asked to, where it leads when a container may have changed that. */
import { mkdir, stat } from "node:fs/promises";
import { errnoOf, messageOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { type HostPlace, hostPlace, noteWritten, openBelow } from "../host-paths.js";
import type { ContainerRow } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import { labelBind } from "./labels.js";
import { pinned, pinnedSource } from "./pins.js";
import { checkAlone } from "./read-only.js";
import type { RecordedMount } from "./record.js";

/** The mount with the source that the runtime is given: made, labelled, pinned where a container can have changed where it leads. */
export async function resolveBind(
  deps: RuntimeDeps,
  row: ContainerRow,
  mount: RecordedMount,
  bundle: string,
): Promise<RecordedMount> {
  const place = hostPlace(deps.ctx, mount.source);
  await ensureBindSource(deps.ctx, mount, place);
  checkAlone(deps, row, mount);
  await labelBind(deps, row, mount, place);
  if (!mount.readOnly) noteWritten(deps.ctx, place);
  const { propagation = "rprivate", source } = mount;
  // what is pinned is a mount of ours, which hears of nothing that is mounted later
  if (place.below !== "" && !propagation.endsWith("private"))
    deps.ctx.warn(
      `container ${row.name}: propagation ${propagation} of ${source} has no effect: containers write to ${place.folder}`,
    );
  const pinnedTo = pinnedSource(deps.ctx, bundle, place, mount.source);
  return pinned(deps.ctx.kernel, bundle, pinnedTo, mount);
}

/** Makes a bind's host folder when asked to; `TSC_BIND_SOURCE` when it is missing. */
async function ensureBindSource(
  ctx: Pick<EngineContext, "kernel">,
  mount: RecordedMount,
  place: HostPlace,
): Promise<void> {
  if (place.below !== "") return ensureBelow(ctx, mount, place);
  try {
    await stat(mount.source);
    return;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" && ENGINE_SOCKET.test(mount.source)) throw noEngineSocket(mount.source);
    if (errno !== "ENOENT" || mount.createHostPath !== true) {
      const reason = errno === "ENOENT" ? "path does not exist" : `cannot be read: ${messageOf(error)}`;
      throw bindSource(mount.source, reason, error);
    }
  }
  try {
    await mkdir(mount.source, { recursive: true });
  } catch (error) {
    throw bindSource(mount.source, `does not exist and cannot be made: ${messageOf(error)}`, error);
  }
}

/** As a container left it: a link that it made leads nowhere outside the folder, and neither does a person's own. */
function ensureBelow(ctx: Pick<EngineContext, "kernel">, mount: RecordedMount, place: HostPlace): void {
  const { folder, below } = place;
  try {
    using _found = openBelow(ctx, place);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const isLink = ctx.kernel.hasLink(folder, below);
    if (errno === "ENOENT" && mount.createHostPath === true && !isLink) {
      using _made = ctx.kernel.openInRoot(folder, below, { createDirectories: true });
      return;
    }
    const missing = isLink ? `is or lies behind a link that leads nowhere in ${folder}` : "path does not exist";
    throw bindSource(
      mount.source,
      errno === "ENOENT" ? missing : `cannot be opened: ${messageOf(error)}`,
      error,
      isLink,
    );
  }
}

/** Where other engines listen: a folder in such a place would look like one to whoever asks there. */
const ENGINE_SOCKET = /\/(?:docker|podman|containerd|buildkitd)\.sock$/;

function noEngineSocket(source: string): TscError {
  return new TscError("TSC_ENGINE_SOCKET", `bind source ${source}: no such engine runs on this machine`, {
    kind: "not-found",
    hint: "tscompose has no daemon and no socket: leave out the service that needs one, or this mount of it",
    exitCode: 125,
  });
}

function bindSource(source: string, reason: string, cause: unknown, isLink = false): TscError {
  const what =
    reason === "path does not exist" ? `bind source path does not exist: ${source}` : `bind source ${source} ${reason}`;
  return new TscError("TSC_BIND_SOURCE", what, {
    kind: "not-found",
    cause,
    exitCode: 125,
    ...(isLink ? { hint: "containers write to that folder; name the place that is meant, not a link in it" } : {}),
  });
}
