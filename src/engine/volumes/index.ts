/**
 * Named and anonymous volumes of the `local` driver: folders under root/volumes/NAME/_data, their devices
 * (driver_opts) and the first copy of an image's content. Never mounts anything into a container.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, OpenedPath } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { LabelFilter, VolumesApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { hostPlace, noteWritten, openBelow } from "../host-paths.js";
import { isOrphaned, ownedName } from "../owned-names.js";
import { labelForAll, parseContext, relabelOwn } from "../selinux/index.js";
import {
  addVolumeUse,
  deleteVolume,
  getVolume,
  insertVolume,
  listVolumes,
  markVolumePopulated,
  volumeNames,
  volumesOfContainer,
  volumeUsers,
} from "../state/volumes.js";
import { takeLock } from "../take-lock.js";
import type { VolumeInfo, VolumeSpec } from "../types.js";
import { parseDevice, type VolumeDevice } from "./device.js";

const REMOVING = ".removing-";

export interface Volumes extends VolumesApi {
  /** What `make` takes for a new volume with a random 64-digit name. */
  anonymous(labels?: Readonly<Record<string, string>>): VolumeSpec;
  /** `create` without a promise: for use inside a transaction. */
  make(spec: VolumeSpec): VolumeInfo;
  /** Where a volume's content lies, whether it exists or not. */
  mountpointOf(name: string): string;
  /** The host folder with the volume's content; mounts its device first when it has one. Idempotent. `TSC_VOLUME_MOUNT`. */
  mount(name: string): Promise<string>;
  /** Gives its content the SELinux label that every container may use, unless it has one of that type; a device's is its owner's business. */
  label(name: string): Promise<void>;
  /** Unmounts the device, unless a running container still uses the volume. No device is no error. */
  unmount(name: string): Promise<void>;
  /** Notes that a container uses the volume; ends with the container's record. Synchronous: for use inside a transaction. */
  use(name: string, containerId: string): void;
  /** Volumes of a container, those anonymous ones nobody else uses marked. */
  ofContainer(containerId: string): { volume: VolumeInfo; removable: boolean }[];
  /**
   * Copies what the image has at `target` (inside the mounted `rootfs`) into a volume that is still empty and never
   * had content, with owner and mode of the folder itself. Later calls do nothing. True when it copied.
   */
  copyUp(name: string, rootfs: string, target: string): Promise<boolean>;
  /**
   * The part of `remove` that belongs into a transaction: the row goes and the folder gets another name. What is returned throws the
   * content away, after the commit. `TSC_VOLUME_IN_USE`; nothing for a volume that is not there.
   */
  discard(name: string): (() => Promise<void>) | undefined;
  /** Finishes removals that a crash interrupted. One look at the folder when there are none. */
  repair(): Promise<void>;
}

/** The volumes of one engine. */
export function openVolumes(ctx: EngineContext): Volumes {
  const { paths, state, kernel } = ctx;
  const folder = (name: string): string => join(paths.volumes, name);
  const dataFolder = (name: string): string => join(paths.volumes, name, "_data");
  const lock = (name: string) => takeLock(ctx, `volume-${name}`, `volume ${name}`);

  const require = (name: string): VolumeInfo => {
    const record = getVolume(state, name);
    if (record !== undefined) return record.info;
    throw noSuchVolume(name);
  };

  const device = (info: VolumeInfo): VolumeDevice | undefined => parseDevice(info.name, info.driverOpts, ctx.rootless);

  /** Makes the folder of the volume's content; false when it was there. */
  const makeData = (name: string): boolean => {
    if (existsSync(dataFolder(name))) return false;
    mkdirSync(folder(name), { recursive: true, mode: 0o700 });
    mkdirSync(dataFolder(name), { recursive: true });
    // mkdir's mode is narrowed by the umask; a volume's root must be readable by any user of the container.
    chmodSync(dataFolder(name), 0o755);
    return true;
  };

  const make = (spec: VolumeSpec): VolumeInfo => {
    const name = validateVolumeName(spec.name);
    const driver = spec.driver === undefined || spec.driver === "" ? "local" : spec.driver;
    if (driver !== "local") {
      throw new TscError("TSC_VOLUME_DRIVER", `volume ${name}: driver ${JSON.stringify(driver)} is not available`, {
        kind: "unsupported",
        hint: "only the local driver exists here; it mounts nfs, bind and tmpfs through driver_opts",
      });
    }
    const driverOpts = { ...spec.driverOpts };
    parseDevice(name, driverOpts, ctx.rootless);
    let isNew = false;
    const info = state.transaction(() => {
      const existing = getVolume(state, name);
      if (existing !== undefined) {
        if (existing.info.driver === driver) return existing.info;
        throw new TscError("TSC_VOLUME_EXISTS", `volume ${name} exists with driver ${existing.info.driver}`, {
          kind: "already-exists",
        });
      }
      makeData(name);
      const fresh: VolumeInfo = {
        name,
        driver,
        driverOpts,
        labels: { ...spec.labels },
        mountpoint: dataFolder(name),
        createdAt: new Date().toISOString(),
        anonymous: spec.anonymous ?? false,
      };
      insertVolume(state, fresh);
      isNew = true;
      return fresh;
    });
    if (isNew) ctx.emit({ type: "volume", action: "create", id: name, name, attributes: { driver, ...info.labels } });
    return info;
  };

  /** Undefined when there is no such folder. */
  const renameFolder = (name: string): string | undefined => {
    kernel.unmount(dataFolder(name), { detach: true });
    const doomed = join(paths.volumes, `${REMOVING}${ownedName(kernel)}`);
    try {
      renameSync(folder(name), doomed);
      return doomed;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  };

  // The folder is renamed before the row is gone for good: killed in between, a volume is left that `mount` makes anew. The other way
  // round its content would come back in the next volume of that name.
  const discard = (name: string): (() => Promise<void>) | undefined =>
    state.transaction(() => {
      const record = getVolume(state, name);
      if (record === undefined) return undefined;
      const users = volumeUsers(state, name);
      if (users.length > 0) {
        throw new TscError(
          "TSC_VOLUME_IN_USE",
          `volume ${name} is in use by ${users.map((user) => user.name || user.id.slice(0, 12)).join(", ")}`,
          { kind: "conflict", hint: "remove these containers first" },
        );
      }
      deleteVolume(state, name);
      const { driver, labels } = record.info;
      ctx.emit({ type: "volume", action: "destroy", id: name, name, attributes: { driver, ...labels } });
      const doomed = renameFolder(name);
      return async () => {
        if (doomed !== undefined) await kernel.removeTree(doomed);
      };
    });

  const remove = async (name: string, options: { force?: boolean } = {}): Promise<void> => {
    const finish = discard(name);
    if (finish !== undefined) return await finish();
    if (options.force === true) return;
    throw noSuchVolume(name);
  };

  const mount = async (name: string): Promise<string> => {
    const info = require(name);
    const target = dataFolder(name);
    if (makeData(name)) ctx.warn(`volume ${name}: its folder ${target} was gone and is made anew, empty`);
    const source = device(info);
    if (source === undefined) return target;
    using _lock = await lock(name);
    if (kernel.isMountPoint(target)) return target;
    try {
      mountDevice(ctx, source, target);
      if (source.readOnlyRemount) kernel.mount("", target, "", ["bind", "remount", "ro"]);
    } catch (error) {
      kernel.unmount(target, { detach: true });
      const reason = errnoOf(error) === "ENOENT" ? "no such file or folder" : String((error as Error).message);
      throw new TscError(
        "TSC_VOLUME_MOUNT",
        `volume ${name}: cannot mount ${source.source} (${source.type}): ${reason}`,
        {
          kind: errnoOf(error) === "ENOENT" ? "not-found" : "unavailable",
          cause: error,
        },
      );
    }
    return target;
  };

  const list = async (filter: LabelFilter = {}): Promise<VolumeInfo[]> =>
    listVolumes(state)
      .map((record) => record.info)
      .filter((info) => hasLabels(info.labels, filter.labels));

  return {
    create: async (spec) => make(spec),
    make,
    mountpointOf: dataFolder,
    remove,
    discard,
    list,
    mount,
    async label(name) {
      const label = labelForAll();
      if (label === undefined || device(require(name)) !== undefined) return;
      using data = kernel.openInRoot(folder(name), "_data");
      const now = parseContext(kernel.fileLabel(data) ?? "");
      if (now?.type !== parseContext(label)?.type) await relabelOwn(kernel, dataFolder(name), label);
    },

    inspect: async (name) => require(name),
    find: async (name) => getVolume(state, name)?.info,
    anonymous: (labels = {}) => ({ name: randomBytes(32).toString("hex"), labels, anonymous: true }),

    async unmount(name) {
      const record = getVolume(state, name);
      if (record === undefined || device(record.info) === undefined) return;
      using _lock = await lock(name);
      const busy = volumeUsers(state, name).some((user) => ["running", "paused", "restarting"].includes(user.state));
      if (!busy) kernel.unmount(dataFolder(name), { detach: true });
    },

    use: (name, containerId) => addVolumeUse(state, name, containerId),

    ofContainer: (containerId) =>
      volumesOfContainer(state, containerId).map(({ info }) => ({
        volume: info,
        removable: info.anonymous && volumeUsers(state, info.name).every((user) => user.id === containerId),
      })),

    async copyUp(name, rootfs, target) {
      if (getVolume(state, name)?.populated !== false) return false;
      const data = await mount(name);
      using _lock = await lock(name);
      if (getVolume(state, name)?.populated !== false) return false;
      if (readdirSync(data).length > 0) {
        markVolumePopulated(state, name);
        return false;
      }
      using source = imagePath(kernel, rootfs, target);
      const stat = source?.stat();
      if (source === undefined || stat?.isDirectory() !== true) return false;
      const isMounted = kernel.isMountPoint(data);
      // Beside the data and renamed over it, so that a crash half way leaves an empty volume and not half a copy.
      const staging = isMounted ? data : join(folder(name), "_copy");
      if (!isMounted) {
        await kernel.removeTree(staging);
        mkdirSync(staging, { mode: 0o700 });
      }
      if (readdirSync(source.path).length > 0) {
        await kernel.unpackLayer({
          target: staging,
          whiteouts: "apply",
          input: kernel.packLayer({ source, overlay: false }),
          compression: "none",
        });
      }
      kernel.chown(staging, stat.uid, stat.gid);
      chmodSync(staging, stat.mode & 0o7777);
      if (!isMounted) renameSync(staging, data);
      markVolumePopulated(state, name);
      return true;
    },

    async repair() {
      let names: string[];
      try {
        names = readdirSync(paths.volumes);
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return;
        throw error;
      }
      if (names.length === 0) return;
      const known = new Set(volumeNames(state));
      for (const name of names) {
        if (isOrphaned(kernel, name, REMOVING)) await kernel.removeTree(join(paths.volumes, name));
        // A folder without a row and without content is a creation that was cut short; content is never thrown away. In a
        // transaction, because the folder of a volume is made in the one that adds its row.
        else if (!known.has(name) && !name.startsWith(REMOVING)) {
          state.transaction(() => {
            if (getVolume(state, name) === undefined) removeIfEmpty(folder(name));
          });
        }
      }
    },
  };
}

function removeIfEmpty(path: string): void {
  for (const step of [join(path, "_data"), path]) {
    try {
      rmdirSync(step);
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOTEMPTY" && code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTDIR") throw error;
    }
  }
}

function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string | undefined>> | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(
    ([key, value]) => labels[key] !== undefined && (value === undefined || labels[key] === value),
  );
}

/** The name itself; `TSC_VOLUME_NAME` unless it is letters, digits, `_`, `.`, `-` and begins with a letter or digit. */
export function validateVolumeName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name)) return name;
  throw new TscError("TSC_VOLUME_NAME", `${JSON.stringify(name)} is not a volume name`, {
    kind: "invalid-input",
    hint: "use letters, digits, _ . and -, beginning with a letter or digit; a host folder begins with / or ./",
  });
}

/** Where the image keeps what lies at `target`, or undefined when it has nothing there. */
function imagePath(kernel: Kernel, rootfs: string, target: string): OpenedPath | undefined {
  try {
    return kernel.openInRoot(rootfs, target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw error;
  }
}

function noSuchVolume(name: string): TscError {
  return new TscError("TSC_VOLUME_NOT_FOUND", `no such volume: ${name}`, { kind: "not-found" });
}

/** Bound folders of the host are looked up anew each time, and may lie where containers write. */
function mountDevice(ctx: EngineContext, device: VolumeDevice, target: string): void {
  const { type, flags, data } = device;
  const place = flags.includes("bind") ? hostPlace(ctx, device.source) : undefined;
  if (place !== undefined) noteWritten(ctx, place);
  using opened = place === undefined || place.below === "" ? undefined : openBelow(ctx, place);
  ctx.kernel.mount(opened?.path ?? device.source, target, type, flags, data);
}
