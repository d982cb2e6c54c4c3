/** What a volume's driver_opts (`type`, `o`, `device`, as docker's local driver reads them) ask the kernel to mount. Pure. */

import { isAbsolute } from "node:path";
import type { MountFlag } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { own } from "../../lib/own.js";

/** What is mounted as a volume's content (mount(2)). */
export interface VolumeDevice {
  readonly source: string;
  readonly type: string;
  readonly flags: readonly MountFlag[];
  readonly data: string;
  /** A bind mount ignores `ro` until it is mounted a second time (mount(2), MS_BIND). */
  readonly readOnlyRemount: boolean;
}

const FLAGS: Readonly<Record<string, MountFlag>> = {
  bind: "bind",
  rbind: "bind",
  ro: "ro",
  nosuid: "nosuid",
  nodev: "nodev",
  noexec: "noexec",
  relatime: "relatime",
  noatime: "noatime",
  strictatime: "strictatime",
};
/** Say what is so anyway, or mean something to mount(8) only. */
const NEUTRAL = new Set(["rw", "suid", "dev", "exec", "defaults", "async", "auto", "_netdev", "nofail"]);
const ROOTLESS_TYPES = new Set(["none", "bind", "tmpfs"]);

/**
 * The mount of a volume's options; undefined for a plain folder. `TSC_VOLUME_OPTIONS` for options that make no
 * sense, and for what an ordinary user may not mount.
 */
export function parseDevice(
  name: string,
  options: Readonly<Record<string, string>>,
  rootless: boolean,
): VolumeDevice | undefined {
  const invalid = (message: string, hint?: string): TscError =>
    new TscError("TSC_VOLUME_OPTIONS", `volume ${name}: ${message}`, {
      kind: "invalid-input",
      ...given({ hint }),
    });
  for (const key of Object.keys(options)) {
    if (!["type", "o", "device", "size"].includes(key)) {
      throw invalid(`driver option ${JSON.stringify(key)} is not known`, "the local driver takes type, o and device");
    }
  }
  const { device = "", o = "", type = "" } = options;
  if (options.size !== undefined && type !== "tmpfs") {
    throw invalid("driver option size needs a filesystem with quotas", "set type: tmpfs, or remove size");
  }
  if (device === "" && o === "" && type === "") return undefined;

  const flags: MountFlag[] = [];
  const data: string[] = [];
  let recursive = false;
  for (const option of o.split(",").filter((part) => part !== "")) {
    const flag = own(FLAGS, option);
    if (flag !== undefined) flags.push(flag);
    else if (!NEUTRAL.has(option)) data.push(option);
    if (option === "rbind") recursive = true;
  }
  if (options.size !== undefined) data.push(`size=${options.size}`);
  const isBind = flags.includes("bind") || type === "bind";
  if (isBind) {
    if (!isAbsolute(device)) throw invalid(`device ${JSON.stringify(device)} of a bind volume is not an absolute path`);
    const binding: MountFlag[] = recursive || !flags.includes("bind") ? ["bind", "rec"] : ["bind"];
    return { source: device, type: "none", flags: binding, data: "", readOnlyRemount: flags.includes("ro") };
  }
  if (type === "" || type === "none")
    throw invalid("driver option type is missing", "set type, e.g. nfs, tmpfs or ext4");
  if (type !== "tmpfs" && device === "") throw invalid("driver option device is missing");
  if (rootless && !ROOTLESS_TYPES.has(type)) {
    throw new TscError("TSC_VOLUME_OPTIONS", `volume ${name}: an ordinary user may not mount ${type}`, {
      kind: "unsupported",
      hint: "let root mount it on the host and use a bind mount of that folder",
    });
  }
  const isNetwork = type === "nfs" || type === "nfs4" || type === "cifs";
  if (isNetwork && !data.some((part) => part.startsWith("addr="))) {
    throw invalid(`${type} needs o: addr=SERVER`, "the kernel does not look up the server in device itself");
  }
  return { source: device === "" ? type : device, type, flags, data: data.join(","), readOnlyRemount: false };
}
