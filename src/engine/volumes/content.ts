/** A volume's content on this host: its device, and its SELinux label. */
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { hostPlace, noteWritten, openBelow } from "../host-paths.js";
import { labelForAll, parseContext, relabelOwn } from "../selinux/index.js";
import { getVolume, volumeUsers } from "../state/volumes.js";
import type { VolumeInfo } from "../types.js";
import { parseDevice, type VolumeDevice } from "./device.js";
import { dataFolder, lockVolume, makeData, volumeFolder } from "./folders.js";
import { requireVolume } from "./names.js";

function deviceOf(ctx: EngineContext, info: VolumeInfo): VolumeDevice | undefined {
  return parseDevice(info.name, info.driverOpts, ctx.rootless);
}

/** The host folder with the volume's content; mounts its device first when it has one. Idempotent. `TSC_VOLUME_NOT_FOUND`, `TSC_VOLUME_MOUNT`. */
export async function mountVolume(ctx: EngineContext, name: string): Promise<string> {
  const info = requireVolume(ctx, name);
  const target = dataFolder(ctx, name);
  if (makeData(ctx, name)) ctx.warn(`volume ${name}: its folder ${target} was gone and is made anew, empty`);
  const device = deviceOf(ctx, info);
  if (device === undefined) return target;
  using _lock = await lockVolume(ctx, name);
  if (!ctx.kernel.isMountPoint(target)) mountDevice(ctx, name, device, target);
  return target;
}

function mountDevice(ctx: EngineContext, name: string, device: VolumeDevice, target: string): void {
  const { kernel } = ctx;
  try {
    bindOrMount(ctx, device, target);
    if (device.readOnlyRemount) kernel.mount("", target, "", ["bind", "remount", "ro"]);
  } catch (error) {
    kernel.unmount(target, { detach: true });
    const isMissing = errnoOf(error) === "ENOENT";
    const reason = isMissing ? "no such file or folder" : String((error as Error).message);
    throw new TscError(
      "TSC_VOLUME_MOUNT",
      `volume ${name}: cannot mount ${device.source} (${device.type}): ${reason}`,
      { kind: isMissing ? "not-found" : "unavailable", cause: error },
    );
  }
}

/** Bound folders of the host are looked up anew each time, and may lie where containers write. */
function bindOrMount(ctx: EngineContext, device: VolumeDevice, target: string): void {
  const { type, flags, data } = device;
  const place = flags.includes("bind") ? hostPlace(ctx, device.source) : undefined;
  if (place !== undefined) noteWritten(ctx, place);
  using opened = place === undefined || place.below === "" ? undefined : openBelow(ctx, place);
  ctx.kernel.mount(opened?.path ?? device.source, target, type, flags, data);
}

/** Unmounts the volume's device, unless a running container still uses the volume. No device is no error. */
export async function unmountVolume(ctx: EngineContext, name: string): Promise<void> {
  const record = getVolume(ctx.state, name);
  if (record === undefined || deviceOf(ctx, record.info) === undefined) return;
  using _lock = await lockVolume(ctx, name);
  const busy = volumeUsers(ctx.state, name).some((user) => ["running", "paused", "restarting"].includes(user.state));
  if (!busy) ctx.kernel.unmount(dataFolder(ctx, name), { detach: true });
}

/** Gives the content the label that every container may use, unless it has one of that type; a device's is its owner's business. */
export async function labelVolume(ctx: EngineContext, name: string): Promise<void> {
  const label = labelForAll();
  if (label === undefined || deviceOf(ctx, requireVolume(ctx, name)) !== undefined) return;
  using data = ctx.kernel.openInRoot(volumeFolder(ctx, name), "_data");
  const has = parseContext(ctx.kernel.fileLabel(data) ?? "");
  if (has?.type !== parseContext(label)?.type) await relabelOwn(ctx.kernel, dataFolder(ctx, name), label);
}
