/** Which AppArmor profile a container gets. Pure. */
import { TscError } from "../../../lib/errors.js";
import type { ContainerSpec } from "../../types.js";
import type { HostFacts } from "../host.js";
import type { SecurityOptions } from "./security.js";

/** The profile that containers get which name none. */
export const DEFAULT_APPARMOR_PROFILE = "tscompose-default";

/**
 * The profile of a container: what it asks for, none when privileged, else the default one. undefined where there is no AppArmor.
 * `TSC_APPARMOR` when a profile is asked for that nothing would enforce.
 */
export function apparmorProfile(
  spec: Pick<ContainerSpec, "name" | "privileged">,
  security: Pick<SecurityOptions, "apparmor">,
  facts: Pick<HostFacts, "apparmor">,
): string | undefined {
  const asked = security.apparmor;
  if (!facts.apparmor) {
    if (asked === undefined || asked === "unconfined") return undefined;
    throw new TscError(
      "TSC_APPARMOR",
      `container ${spec.name}: AppArmor profile ${JSON.stringify(asked)} cannot be had`,
      {
        kind: "unsupported",
        hint: "profiles are applied by root on a host with AppArmor; remove apparmor= from security_opt",
        exitCode: 125,
      },
    );
  }
  return asked ?? (spec.privileged === true ? "unconfined" : DEFAULT_APPARMOR_PROFILE);
}

/** Modes by name, of /sys/kernel/security/apparmor/profiles: one `NAME (MODE)` a line. */
export function loadedProfiles(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name, mode] = /^(.+) \(([a-z]+)\)$/.exec(line) ?? [];
      return name === undefined || mode === undefined ? [] : [[name, mode] as const];
    }),
  );
}

/**
 * The default profile. Files, network and capabilities are left to the container's own limits; the kernel's controls, mounts, and processes outside
 * are not its business whatever it holds.
 */
export const DEFAULT_APPARMOR_TEXT = `abi <abi/3.0>,
profile ${DEFAULT_APPARMOR_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  capability,
  network,
  file,
  umount,
  deny mount,
  deny pivot_root,
  signal peer=${DEFAULT_APPARMOR_PROFILE},
  signal (receive) peer=unconfined,
  ptrace peer=${DEFAULT_APPARMOR_PROFILE},
  unix,
  deny /sys/** wklx,
  deny /sys/firmware/** r,
  deny /sys/kernel/security/** r,
  deny /proc/{sysrq-trigger,kcore,kmem,mem,kallsyms} rwklx,
  deny /proc/sys/** wklx,
}
`;
