/** Volumes, where they are declared and where they are mounted. */
import { structOf } from "./kinds.js";
import type { Extensible, StringMap } from "./values.js";

/** Of a bind mount: `selinux` is `z` or `Z`, `recursive` `enabled`, `disabled`, `writable` or `readonly`. */
export interface BindOptions extends Extensible {
  readonly selinux?: string;
  readonly propagation?: string;
  /** Absent means true. */
  readonly create_host_path?: boolean;
  readonly recursive?: string;
}

/** Of a mounted volume: `nocopy` leaves out the image's content, `subpath` mounts a folder of it; `labels` are an anonymous one's. */
export interface VolumeOptions extends Extensible {
  readonly labels?: StringMap;
  readonly nocopy?: boolean;
  readonly subpath?: string;
}

/** Of a tmpfs: `size` is a decimal string of bytes, `mode` the number itself (1023 for 0o1777). */
export interface TmpfsOptions extends Extensible {
  readonly size?: string;
  readonly mode?: number;
}

interface ImageOptions {
  readonly subpath?: string;
}

/** A mount in its long form; types `npipe`, `cluster` and `glob` are refused by the plan (`attributes/limits.ts`). */
export interface ServiceVolume extends Extensible {
  readonly type: "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster" | "glob";
  readonly source?: string;
  readonly target?: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: BindOptions;
  readonly volume?: VolumeOptions;
  readonly tmpfs?: TmpfsOptions;
  readonly image?: ImageOptions;
}

/** How a mount is read. */
export const SERVICE_VOLUME = structOf<ServiceVolume>({
  type: "string",
  source: "string",
  target: "string",
  read_only: "bool",
  consistency: "string",
  bind: {
    one: structOf<BindOptions>({
      selinux: "string",
      propagation: "string",
      create_host_path: "bool!",
      recursive: "string",
    }),
  },
  volume: { one: structOf<VolumeOptions>({ labels: "map", nocopy: "bool", subpath: "string" }) },
  tmpfs: { one: structOf<TmpfsOptions>({ size: "bytes", mode: "uint" }) },
  image: { one: structOf<ImageOptions>({ subpath: "string" }) },
});

/** A volume that the project declares; `name` is what the host calls it. An `external` one must be there. */
export interface VolumeConfig extends Extensible {
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly external?: boolean;
  readonly labels?: StringMap;
}

/** How a declared volume is read. */
export const VOLUME_CONFIG = structOf<VolumeConfig>({
  name: "string",
  driver: "string",
  driver_opts: "map",
  external: "bool",
  labels: "map",
});
