/** security_opt words, masked and read-only paths. Pure. */
import { TscError } from "../../../lib/errors.js";

/** Hidden inside every unprivileged container (docker's and newer podman's lists together). */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/fs/selinux",
  "/sys/dev/block",
  "/sys/devices/virtual/powercap",
];

/** What of /proc a container may only read. */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** What `security_opt` asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `unconfined`, a path, or undefined for the default. */
  readonly seccomp: string | undefined;
  readonly apparmor: string | undefined;
  readonly selinux: readonly string[];
  readonly unmask: readonly string[] | "ALL";
  readonly mask: readonly string[];
}

/** Reads docker's and podman's words (`seccomp=…`, `seccomp:…`, `no-new-privileges`, `label=`, `mask=`, `unmask=`). `TSC_SECURITY_OPT`. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: string | undefined;
  let apparmor: string | undefined;
  const selinux: string[] = [];
  const mask: string[] = [];
  let unmask: string[] | "ALL" = [];
  for (const option of options) {
    const [, key = option, value] = /^([a-z-]+)[=:](.*)$/s.exec(option) ?? [];
    if (key === "no-new-privileges" && (value === undefined || value === "true" || value === "false")) {
      noNewPrivileges = value !== "false";
    } else if (key === "seccomp" && value !== undefined) seccomp = value;
    else if (key === "apparmor" && value !== undefined) apparmor = value;
    else if (key === "label" && value !== undefined) selinux.push(value);
    else if (key === "mask" && value !== undefined) mask.push(...value.split(":"));
    else if (key === "unmask" && value !== undefined) {
      if (value.toUpperCase() === "ALL" || unmask === "ALL") unmask = "ALL";
      else unmask.push(...value.split(":"));
    } else if (key === "systempaths" && value === "unconfined") unmask = "ALL";
    else {
      throw new TscError("TSC_SECURITY_OPT", `unknown security option ${JSON.stringify(option)}`, {
        kind: "invalid-input",
        hint: "known: no-new-privileges, seccomp=, apparmor=, label=, mask=, unmask=, systempaths=unconfined",
      });
    }
  }
  return { noNewPrivileges, seccomp, apparmor, selinux, unmask, mask };
}

/** The two path lists after mask/unmask. */
export function hiddenPaths(security: SecurityOptions, privileged: boolean): { masked: string[]; readonly: string[] } {
  if (privileged || security.unmask === "ALL") return { masked: [...security.mask], readonly: [] };
  const unmask = new Set(security.unmask);
  return {
    masked: [...MASKED_PATHS.filter((path) => !unmask.has(path)), ...security.mask],
    readonly: READONLY_PATHS.filter((path) => !unmask.has(path)),
  };
}
