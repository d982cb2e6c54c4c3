/** Capability sets of a container's process, from cap_add / cap_drop. Pure. */
import { TscError } from "../../../lib/errors.js";
import type { OciCapabilities } from "./types.js";

/** Every capability by its bit (capabilities(7)). */
export const CAPABILITIES: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
].map((name) => `CAP_${name}`);

/** Docker's fourteen. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
].map((name) => `CAP_${name}`);

/** Names in a bit mask as /proc/self/status prints it (hexadecimal). */
export function capabilitiesInMask(hex: string): Set<string> {
  const mask = BigInt(`0x${hex}`);
  return new Set(CAPABILITIES.filter((_name, bit) => (mask >> BigInt(bit)) & 1n));
}

/** `net_admin` or `CAP_NET_ADMIN` → `CAP_NET_ADMIN`; `ALL` stays. `TSC_CAPABILITY_UNKNOWN` otherwise. */
export function capabilityName(text: string): string {
  const upper = text.trim().toUpperCase();
  if (upper === "ALL" || upper === "CAP_ALL") return "ALL";
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (CAPABILITIES.includes(name)) return name;
  throw new TscError("TSC_CAPABILITY_UNKNOWN", `no such capability: ${JSON.stringify(text)}`, {
    kind: "invalid-input",
    hint: "capability names are listed in capabilities(7)",
  });
}

/** What decides over a process's capabilities. */
export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  readonly isRootUser: boolean;
  /** What this process may pass on. */
  readonly available: ReadonlySet<string>;
}

/**
 * The bounding set as docker makes it: defaults minus drops plus adds (`ALL` on either side), clamped to `available`.
 * A capability asked for by name that is not available is returned in `missing`.
 */
export function boundingSet(request: CapabilityRequest): { bounding: string[]; missing: string[] } {
  const add = request.add.map(capabilityName);
  const drop = new Set(request.drop.map(capabilityName));
  const missing = add.filter((name) => name !== "ALL" && !request.available.has(name));
  if (request.privileged) return { bounding: CAPABILITIES.filter((name) => request.available.has(name)), missing };
  const base = add.includes("ALL") ? CAPABILITIES : drop.has("ALL") ? [] : DEFAULT_CAPABILITIES;
  const wanted = new Set(base.filter((name) => !drop.has(name)));
  for (const name of add) if (name !== "ALL") wanted.add(name);
  return { bounding: CAPABILITIES.filter((name) => wanted.has(name) && request.available.has(name)), missing };
}

/**
 * All five sets. Inheritable stays empty (CVE-2022-27649), so that a file's inheritable bits give nothing; a user other
 * than root has what docker gives it: nothing but the bounding set, unless capabilities were added by name.
 */
export function capabilitySets(bounding: readonly string[], request: CapabilityRequest): OciCapabilities {
  if (request.isRootUser) {
    return { bounding, effective: bounding, permitted: bounding, inheritable: [], ambient: [] };
  }
  return { bounding, effective: [], permitted: [], inheritable: [], ambient: [] };
}
