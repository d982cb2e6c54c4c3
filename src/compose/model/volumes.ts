/** Volumes, where they are declared and where they are mounted. */
import { structOf } from "./kinds.js";
import type { Extensible, StringMap } from "./values.js";

export interface BindOptions extends Extensible {
  readonly selinux?: string;
  readonly propagation?: string;
  /** Absent means true. */
  readonly create_host_path?: boolean;
  readonly recursive?: string;
}

export interface VolumeOptions extends Extensible {
  readonly labels?: StringMap;
  readonly nocopy?: boolean;
  readonly subpath?: string;
}

export interface TmpfsOptions extends Extensible {
  readonly size?: string;
  readonly mode?: number;
}

interface ImageOptions {
  readonly subpath?: string;
}

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
