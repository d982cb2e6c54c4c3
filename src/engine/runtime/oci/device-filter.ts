/**
 * What stands in for the device cgroup on a host that gives root none: without it whoever can make or bring a device node reads and
 * writes the host's disk. Everything a container sees is `nodev` then, and it makes no nodes. Pure.
 */
import { TscError } from "../../../lib/errors.js";
import type { ContainerSpec } from "../../types.js";
import type { HostFacts } from "../host.js";
import { capabilityName } from "./capabilities.js";
import type { OciMount } from "./types.js";

/** Make nodes, or undo `nodev` (a remount, a devtmpfs). */
const DEVICE_CAPABILITIES = ["CAP_MKNOD", "CAP_SYS_ADMIN"];

/**
 * Whether nothing but us keeps this container from the host's devices. In a user namespace the kernel does (mknod(2), user_namespaces(7)), and a
 * privileged container is to have them.
 */
export function lacksDeviceFilter(
  host: Pick<HostFacts, "rootless" | "cgroups">,
  spec: Pick<ContainerSpec, "privileged">,
): boolean {
  return !host.rootless && !host.cgroups.filtersDevices && spec.privileged !== true;
}

/** Said once by every command that starts such a container. */
export function deviceFilterWarning(host: Pick<HostFacts, "cgroups">): string {
  const reason = host.cgroups.reason || "no devices controller";
  return `containers have no device filter here (${reason}): what they mount is nodev and CAP_MKNOD is taken from them`;
}

/** The capabilities that such a container may have. `TSC_DEVICE_FILTER` when it asks by name for one that it may not. */
export function withoutDeviceCapabilities(spec: ContainerSpec, available: ReadonlySet<string>): ReadonlySet<string> {
  const asked = (spec.capAdd ?? []).find((text) => ["ALL", ...DEVICE_CAPABILITIES].includes(capabilityName(text)));
  if (asked !== undefined) throw refused(spec.name, `cap_add ${asked}`);
  return new Set([...available].filter((name) => !DEVICE_CAPABILITIES.includes(name)));
}

/** `TSC_DEVICE_FILTER`: `what` cannot be had without the filter. */
export function refused(container: string, what: string): TscError {
  return new TscError(
    "TSC_DEVICE_FILTER",
    `container ${container}: ${what} needs a device filter, which this host lacks`,
    {
      kind: "unsupported",
      hint: "give tscompose writable cgroups, or say `privileged: true` if the container may use every device",
      exitCode: 125,
    },
  );
}

/** What is bound: a device node that every container may open (docker's list: null, zero, random …), by its real path; or a folder. */
export interface BoundSource {
  readonly openNode: string | undefined;
  readonly isFolder: boolean;
}

/** The mounts with `nodev`, what is mounted below a bound folder included. Nodes that every container may open stay usable. */
export function withoutDevices(
  container: string,
  mounts: readonly OciMount[],
  lookAt: (source: string) => BoundSource,
): OciMount[] {
  return mounts.map((mount) => {
    if (mount.destination === "/dev" && mount.type !== "tmpfs") throw refused(container, "a volume at /dev");
    // the runtime makes the standard nodes there, and nobody else can
    if (mount.destination === "/dev" || mount.destination === "/dev/pts") return mount;
    const options = mount.options.filter((option) => option !== "dev" && option !== "nodev");
    if (mount.type !== "bind") return { ...mount, options: [...options, "nodev"] };
    const { openNode, isFolder } = lookAt(mount.source);
    if (openNode !== undefined) return { ...mount, source: openNode };
    return { ...mount, options: [...options, isFolder ? "rnodev" : "nodev"] };
  });
}
