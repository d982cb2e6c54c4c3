/** Device nodes given to a container, and the device cgroup's rules. Looks devices up on the host; changes nothing. */
import { existsSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, relative } from "node:path";
import { errnoOf, TscError } from "../../../lib/errors.js";
import { deviceNumbers } from "../../device-numbers.js";
import type { ContainerSpec } from "../../types.js";
import type { HostFacts } from "../host.js";
import { type BoundSource, lacksDeviceFilter, refused } from "./device-filter.js";
import type { OciDevice, OciDeviceRule, OciMount } from "./types.js";

/** A container's devices, as config.json has them. */
export interface DeviceSet {
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly OciDeviceRule[];
  /** Where nodes cannot be made or would not open (in a user namespace, below a `nodev` folder) the host's are bound instead. */
  readonly mounts: readonly OciMount[];
}

/** Standard nodes, which the runtime makes itself (null zero full random urandom tty, pts). */
const STANDARD_RULES: readonly OciDeviceRule[] = [
  { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 5, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 7, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 8, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 9, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 0, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" },
  { allow: true, type: "c", major: 136, access: "rwm" },
];
const NOT_FOR_PRIVILEGED = new Set([
  "pts",
  "shm",
  "mqueue",
  "console",
  "fd",
  "stdin",
  "stdout",
  "stderr",
  "ptmx",
  "core",
]);

/** Major and minor of a device file; `TSC_DEVICE_NOT_FOUND`. */
export function deviceNumbersOf(path: string): { major: number; minor: number } {
  return deviceNumbers(statDevice(path).rdev);
}

function statDevice(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new TscError("TSC_DEVICE_NOT_FOUND", `device ${path}: ${errnoOf(error) ?? "cannot be read"}`, {
      kind: "not-found",
      cause: error,
      exitCode: 125,
    });
  }
}

/** Collects `devices`, `device_cgroup_rules` and, when privileged, all of the host's devices. */
export function collectDevices(spec: ContainerSpec, host: HostFacts, extra: DeviceSet): DeviceSet {
  const wanted: { host: string; target: string; access: string }[] = [];
  const isUnfiltered = lacksDeviceFilter(host, spec);
  for (const device of spec.devices ?? []) {
    if (!/^[rwm]{1,3}$/.test(device.permissions)) {
      throw new TscError(
        "TSC_DEVICE_PERMISSIONS",
        `device ${device.source}: bad permissions ${JSON.stringify(device.permissions)}`,
        {
          kind: "invalid-input",
        },
      );
    }
    if (isUnfiltered && !(device.permissions.includes("r") && device.permissions.includes("w"))) {
      throw refused(spec.name, `device ${device.source} with permissions ${device.permissions} only`);
    }
    statDevice(device.source);
    for (const found of walk(realpathSync(device.source))) {
      const below = relative(realpathSync(device.source), found);
      wanted.push({ host: found, target: join(device.target, below), access: device.permissions });
    }
  }
  if (spec.privileged === true) {
    for (const name of readdirSync("/dev")) {
      if (NOT_FOR_PRIVILEGED.has(name)) continue;
      for (const found of walk(join("/dev", name))) wanted.push({ host: found, target: found, access: "rwm" });
    }
  }
  const nodes: OciDevice[] = [...extra.nodes];
  const rules: OciDeviceRule[] = [...extra.rules];
  const mounts: OciMount[] = [...extra.mounts];
  const seen = new Set<string>();
  for (const item of wanted) {
    if (seen.has(item.target)) continue;
    seen.add(item.target);
    const stat = statDevice(item.host);
    const type = stat.isBlockDevice() ? "b" : stat.isCharacterDevice() ? "c" : undefined;
    if (type === undefined) continue;
    if (host.rootless || (isUnfiltered && !item.target.startsWith("/dev/"))) {
      mounts.push({
        destination: item.target,
        type: "bind",
        source: item.host,
        options: ["bind", "nosuid", "noexec", "rprivate"],
      });
      continue;
    }
    const { major, minor } = deviceNumbers(stat.rdev);
    nodes.push({ path: item.target, type, major, minor, fileMode: stat.mode & 0o777, uid: stat.uid, gid: stat.gid });
    rules.push({ allow: true, type, major, minor, access: item.access });
  }
  if (host.rootless) return { nodes: [], rules: [], mounts };
  if (spec.privileged === true) return { nodes, rules: [{ allow: true, access: "rwm" }], mounts };
  for (const text of spec.deviceCgroupRules ?? []) rules.push(parseRule(text));
  return { nodes, rules: [{ allow: false, access: "rwm" }, ...STANDARD_RULES, ...rules], mounts };
}

/** What a bind's source is; a node counts as open when it lies below /dev and `rules` let a container read and write it. */
export function boundSource(source: string, rules: readonly OciDeviceRule[]): BoundSource {
  const isFolder = statSync(source, { throwIfNoEntry: false })?.isDirectory() === true;
  // Only root changes what lies in /dev: what is looked at is what will be bound.
  const path = isFolder || !existsSync(source) ? "" : realpathSync(source);
  if (!path.startsWith("/dev/")) return { openNode: undefined, isFolder };
  const stat = statDevice(path);
  const type = stat.isBlockDevice() ? "b" : stat.isCharacterDevice() ? "c" : "";
  const { major, minor } = deviceNumbers(stat.rdev);
  const opens = rules.some(
    (rule) =>
      rule.allow &&
      (rule.type === "a" || rule.type === type) &&
      (rule.major === undefined || rule.major === major) &&
      (rule.minor === undefined || rule.minor === minor) &&
      rule.access.includes("r") &&
      rule.access.includes("w"),
  );
  return { openNode: opens ? path : undefined, isFolder };
}

/** `c 1:3 rwm`, `b 8:* r`, `a *:* rwm`. */
function parseRule(text: string): OciDeviceRule {
  const [, type, major, minor, access] = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type === undefined || access === undefined) {
    throw new TscError("TSC_DEVICE_RULE", `bad device cgroup rule ${JSON.stringify(text)}`, {
      kind: "invalid-input",
      hint: "write `c 1:3 rwm`",
    });
  }
  return {
    allow: true,
    type,
    access,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
  };
}

/** Device files at and below a path; links inside are followed only when they name devices. */
function* walk(path: string): Generator<string> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    if (stat.isBlockDevice() || stat.isCharacterDevice()) yield path;
    return;
  }
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) yield* walk(join(path, entry.name));
  }
}
