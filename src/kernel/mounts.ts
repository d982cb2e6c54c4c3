/** Turns `MountFlag` names into mount(2) and mount_setattr(2) calls (include/uapi/linux/mount.h). */
import type { Addon } from "./addon.js";
import type { MountFlag, OverlayMount } from "./kernel.js";

const MS: Readonly<Record<MountFlag, number>> = {
  ro: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  remount: 0x20,
  noatime: 0x400,
  bind: 0x1000,
  rec: 0x4000,
  private: 0x40000,
  rprivate: 0x44000,
  slave: 0x80000,
  rslave: 0x84000,
  shared: 0x100000,
  rshared: 0x104000,
  relatime: 0x200000,
  strictatime: 0x1000000,
};
const PROPAGATION: ReadonlySet<MountFlag> = new Set(["private", "rprivate", "slave", "rslave", "shared", "rshared"]);
/** MOUNT_ATTR_*; access-time modes share one field that must be cleared as a whole. */
const ATTRIBUTES: Readonly<Partial<Record<MountFlag, number>>> = { ro: 0x1, nosuid: 0x2, nodev: 0x4, noexec: 0x8 };
const ATIME: Readonly<Partial<Record<MountFlag, number>>> = { relatime: 0x0, noatime: 0x10, strictatime: 0x20 };
const ATIME_MASK = 0x70;

/** One mount with all its flags; binds get theirs by mount_setattr, which never drops a locked flag. */
export function mountWith(
  addon: Addon,
  source: string,
  target: string,
  type: string,
  flags: readonly MountFlag[],
  data: string,
): void {
  const isBind = flags.includes("bind");
  const propagation = flags.filter((flag) => PROPAGATION.has(flag));
  const recursive = flags.includes("rec");
  if (isBind || flags.includes("remount")) {
    if (!flags.includes("remount")) addon.mount(source, target, "", MS.bind | (recursive ? MS.rec : 0), "");
    try {
      setAttributes(addon, target, flags, recursive);
    } catch (error) {
      if (!flags.includes("remount")) addon.unmount(target, true);
      throw error;
    }
  } else if (source !== "" || type !== "") {
    const bits = flags.filter((flag) => !PROPAGATION.has(flag) && flag !== "rec");
    addon.mount(
      source,
      target,
      type,
      bits.reduce((sum, flag) => sum | MS[flag], 0),
      data,
    );
  }
  for (const flag of propagation) addon.mount("", target, "", MS[flag], "");
}

function setAttributes(addon: Addon, target: string, flags: readonly MountFlag[], recursive: boolean): void {
  let set = 0;
  let clear = 0;
  for (const flag of flags) {
    set |= ATTRIBUTES[flag] ?? 0;
    const atime = ATIME[flag];
    if (atime !== undefined) {
      set |= atime;
      clear = ATIME_MASK;
    }
  }
  if (set !== 0 || clear !== 0) addon.mountSetAttributes(target, set, clear, recursive);
}

/** Mounts an overlay; one lower folder alone, which overlayfs refuses, becomes a read-only bind mount. */
export async function mountOverlay(addon: Addon, mount: OverlayMount): Promise<void> {
  const only = mount.lower[0];
  if (mount.upper === undefined && mount.lower.length === 1 && only !== undefined && mount.context === undefined) {
    mountWith(addon, only, mount.target, "", ["bind", "ro"], "");
    return;
  }
  await addon.mountOverlay({
    lower: mount.lower,
    upper: mount.upper,
    work: mount.work,
    target: mount.target,
    userxattr: mount.userxattr ?? false,
    volatile: mount.volatile ?? false,
    context: mount.context,
    legacy: false,
  });
}
