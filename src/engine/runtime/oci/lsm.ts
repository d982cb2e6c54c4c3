/** Which profile or label the host's security module gives a container. Pure. */
import { TscError } from "../../../lib/errors.js";
import type { ContainerSpec } from "../../types.js";
import type { SecurityOptions } from "./security.js";

export const DEFAULT_APPARMOR_PROFILE = "tscompose-default";

export interface LsmFacts {
  /** AppArmor is enabled and we may choose profiles (root only). */
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/**
 * The profile of a container: what it asks for, none when privileged, else the default one. undefined where there is no AppArmor.
 * `TSC_APPARMOR` when a profile is asked for that nothing would enforce.
 */
export function apparmorProfile(
  spec: Pick<ContainerSpec, "name" | "privileged">,
  security: Pick<SecurityOptions, "apparmor">,
  facts: LsmFacts,
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

/** `label=` words: `disable` is what we do; anything else asks for SELinux labels, which are not given. `TSC_SELINUX`. */
export function checkLabels(spec: Pick<ContainerSpec, "name">, security: Pick<SecurityOptions, "selinux">): void {
  const asked = security.selinux.find((word) => word !== "disable");
  if (asked === undefined) return;
  throw new TscError(
    "TSC_SELINUX",
    `container ${spec.name}: label=${asked} cannot be had: containers get no SELinux label`,
    {
      kind: "unsupported",
      hint: "remove label= from security_opt, or say label=disable",
      exitCode: 125,
    },
  );
}

/** Said by every command that starts containers on a host with SELinux. */
export const UNLABELLED =
  "containers run without an SELinux label here: what confines them is namespaces, capabilities and seccomp";

/** Profiles of /sys/kernel/security/apparmor/profiles: one `NAME (MODE)` a line. */
export function loadedProfiles(text: string): Set<string> {
  return new Set(text.split("\n").flatMap((line) => /^(.+) \([a-z]+\)$/.exec(line)?.[1] ?? []));
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
