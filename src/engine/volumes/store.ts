/** Volumes as rows with folders: making, listing and removing them. */

import { TscError } from "../../lib/errors.js";
import type { LabelFilter } from "../api.js";
import type { EngineContext } from "../context.js";
import {
  deleteVolume,
  getVolume,
  insertVolume,
  listVolumes,
  volumesOfContainer,
  volumeUsers,
} from "../state/volumes.js";
import type { VolumeInfo, VolumeSpec } from "../types.js";
import { parseDevice } from "./device.js";
import { dataFolder, makeData, setAside } from "./folders.js";
import { noSuchVolume, validateVolumeName } from "./names.js";

/** The volume, made unless one of that name and driver is there. `TSC_VOLUME_NAME`, `TSC_VOLUME_DRIVER`, `TSC_VOLUME_EXISTS`. */
export function makeVolume(ctx: EngineContext, spec: VolumeSpec): VolumeInfo {
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
  const info = ctx.state.transaction(() => {
    const existing = getVolume(ctx.state, name);
    if (existing !== undefined) {
      if (existing.info.driver === driver) return existing.info;
      throw new TscError("TSC_VOLUME_EXISTS", `volume ${name} exists with driver ${existing.info.driver}`, {
        kind: "already-exists",
      });
    }
    makeData(ctx, name);
    const fresh: VolumeInfo = {
      name,
      driver,
      driverOpts,
      labels: { ...spec.labels },
      mountpoint: dataFolder(ctx, name),
      createdAt: new Date().toISOString(),
      anonymous: spec.anonymous ?? false,
    };
    insertVolume(ctx.state, fresh);
    isNew = true;
    return fresh;
  });
  if (isNew) ctx.emit({ type: "volume", action: "create", id: name, name, attributes: { driver, ...info.labels } });
  return info;
}

/**
 * Takes the row away and the folder out of the way; what is returned throws the content away. The folder is renamed before the row is
 * gone for good: killed in between, a volume is left that a mount makes anew. The other way round its content would come back in the
 * next volume of that name. `TSC_VOLUME_IN_USE`; undefined for a volume that is not there.
 */
export function discardVolume(ctx: EngineContext, name: string): (() => Promise<void>) | undefined {
  return ctx.state.transaction(() => {
    const record = getVolume(ctx.state, name);
    if (record === undefined) return undefined;
    const users = volumeUsers(ctx.state, name);
    if (users.length > 0) {
      throw new TscError(
        "TSC_VOLUME_IN_USE",
        `volume ${name} is in use by ${users.map((user) => user.name || user.id.slice(0, 12)).join(", ")}`,
        { kind: "conflict", hint: "remove these containers first" },
      );
    }
    deleteVolume(ctx.state, name);
    const { driver, labels } = record.info;
    ctx.emit({ type: "volume", action: "destroy", id: name, name, attributes: { driver, ...labels } });
    const doomed = setAside(ctx, name);
    return async () => {
      if (doomed !== undefined) await ctx.kernel.removeTree(doomed);
    };
  });
}

/** Removes a volume; with `force`, one that is not there is no error. `TSC_VOLUME_IN_USE`, `TSC_VOLUME_NOT_FOUND`. */
export async function removeVolume(
  ctx: EngineContext,
  name: string,
  options: { readonly force?: boolean } = {},
): Promise<void> {
  const finish = discardVolume(ctx, name);
  if (finish !== undefined) return await finish();
  if (options.force === true) return;
  throw noSuchVolume(name);
}

/** Volumes with every label asked for; an undefined value asks for presence only. */
export function volumesWith(ctx: Pick<EngineContext, "state">, filter: LabelFilter = {}): VolumeInfo[] {
  const wanted = Object.entries(filter.labels ?? {});
  return listVolumes(ctx.state)
    .map((record) => record.info)
    .filter(({ labels }) =>
      wanted.every(([key, value]) => labels[key] !== undefined && (value === undefined || labels[key] === value)),
    );
}

/** Volumes of a container, those anonymous ones nobody else uses marked. */
export function containerVolumes(
  ctx: Pick<EngineContext, "state">,
  containerId: string,
): { volume: VolumeInfo; removable: boolean }[] {
  return volumesOfContainer(ctx.state, containerId).map(({ info }) => ({
    volume: info,
    removable: info.anonymous && volumeUsers(ctx.state, info.name).every((user) => user.id === containerId),
  }));
}
