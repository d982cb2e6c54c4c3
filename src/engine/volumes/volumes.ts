/** The volumes of an engine: each call handed to the function that does it. */
import { randomBytes } from "node:crypto";
import type { EngineContext } from "../context.js";
import { addVolumeUse, getVolume } from "../state/volumes.js";
import { labelVolume, mountVolume, unmountVolume } from "./content.js";
import { copyUp } from "./copy-up.js";
import { dataFolder } from "./folders.js";
import { requireVolume } from "./names.js";
import { repairVolumes } from "./repair.js";
import { containerVolumes, discardVolume, makeVolume, removeVolume, volumesWith } from "./store.js";
import type { Volumes } from "./volumes-api.js";

/** The volumes of one engine; reads nothing before it is asked. */
export function openVolumes(ctx: EngineContext): Volumes {
  return {
    create: async (spec) => makeVolume(ctx, spec),
    make: (spec) => makeVolume(ctx, spec),
    anonymous: (labels = {}) => ({ name: randomBytes(32).toString("hex"), labels, anonymous: true }),
    remove: (name, options) => removeVolume(ctx, name, options),
    discard: (name) => discardVolume(ctx, name),
    inspect: async (name) => requireVolume(ctx, name),
    find: async (name) => getVolume(ctx.state, name)?.info,
    list: async (filter) => volumesWith(ctx, filter),
    mountpointOf: (name) => dataFolder(ctx, name),
    mount: (name) => mountVolume(ctx, name),
    unmount: (name) => unmountVolume(ctx, name),
    label: (name) => labelVolume(ctx, name),
    use: (name, containerId) => addVolumeUse(ctx.state, name, containerId),
    ofContainer: (containerId) => containerVolumes(ctx, containerId),
    copyUp: (name, rootfs, target) => copyUp(ctx, name, rootfs, target),
    repair: () => repairVolumes(ctx),
  };
}
