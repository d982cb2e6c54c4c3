/**
 * Between create and start: the kernel is asked whether the runtime did what config.json says, since one that was built without a part
 * leaves it out in silence. Nothing of the container's own runs before.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { type MountLine, readMounts } from "../../kernel/mount-table.js";
import { processPath, readProcessFile } from "../../kernel/proc.js";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import type { ContainerRow } from "../state/containers.js";
import { refused } from "./oci/device-filter.js";
import { MASKED_PATHS, READONLY_PATHS } from "./oci/security.js";
import type { OciConfig } from "./oci/types.js";
import { runtimeRoot } from "./oci-runtime.js";
import type { RuntimeChoice } from "./record.js";

/** A created container, and what it was to be confined by. */
export interface ConfineRequest {
  readonly row: ContainerRow;
  readonly choice: RuntimeChoice;
  readonly config: OciConfig;
  readonly init: ProcessIdentity;
  /** A seccomp filter that this runtime compiled before was given to it. */
  readonly hasCompiledFilter: boolean;
  /** Nothing but `nodev` keeps it from the host's devices. */
  readonly lacksDeviceFilter: boolean;
}

/** `TSC_SECCOMP_MISSING`, `TSC_LABEL_MISSING`, `TSC_MASK_MISSING`, `TSC_DEVICE_FILTER`. */
export async function confine(ctx: EngineContext, request: ConfineRequest): Promise<void> {
  const { row, choice, config, init } = request;
  if (config.linux.seccomp !== undefined && !hasSeccomp(ctx, request)) {
    throw new TscError(
      "TSC_SECCOMP_MISSING",
      `container ${row.name}: ${choice.name} did not apply its seccomp profile`,
      {
        kind: "unsupported",
        hint: `install a ${choice.name} that is built with seccomp, or say \`security_opt: [seccomp=unconfined]\``,
        exitCode: 125,
      },
    );
  }
  confirmLabel(ctx, request);
  confirmMasks(request);
  if (!request.lacksDeviceFilter) return;
  await ctx.kernel.forbidDevices(init);
  const [open] = mountsWithDevices(readMounts(init.pid), config);
  if (open !== undefined) throw refused(row.name, `${open}, which ${choice.name} mounted without nodev,`);
}

/** The label that the container's program will have from its first instruction on stands in attr/exec by now. AppArmor's can be read by nobody else. */
function confirmLabel(ctx: EngineContext, { choice, config, init, row }: ConfineRequest): void {
  const { selinuxLabel: label } = config.process;
  if (label === undefined) return;
  if (readProcessFile(init.pid, "attr/exec").replace(/[\0\n].*$/s, "") === label) return;
  if (choice.name !== "crun" && choice.name !== "runc") {
    ctx.warn(`container ${row.name}: whether ${choice.name} applies the label ${label} cannot be seen from here`);
    return;
  }
  throw new TscError("TSC_LABEL_MISSING", `container ${row.name}: ${choice.name} did not apply the label ${label}`, {
    kind: "unsupported",
    hint: `install a ${choice.name} that is built with SELinux, or say \`security_opt: [label=disable]\``,
    exitCode: 125,
  });
}

/** What every container must not see or write of /proc and /sys; a path that this kernel has not needs no mask. */
function confirmMasks({ choice, config, init, row }: ConfineRequest): void {
  // a virtual machine has its own kernel's files
  if (choice.name !== "crun" && choice.name !== "runc") return;
  const open = unmasked(readMounts(init.pid), config).find((path) => existsSync(processPath(init.pid, `root${path}`)));
  if (open === undefined) return;
  throw new TscError("TSC_MASK_MISSING", `container ${row.name}: ${choice.name} left ${open} open`, {
    kind: "unsupported",
    hint: `install another ${choice.name}, or say \`security_opt: [systempaths=unconfined]\``,
    exitCode: 125,
  });
}

/** The usual masked and read-only paths of a config that no mount covers, or a writable one. Pure. */
export function unmasked(mounts: readonly MountLine[], { linux }: Pick<OciConfig, "linux">): string[] {
  const seen = new Map(mounts.map(({ path, options }) => [path, options]));
  return [
    ...MASKED_PATHS.filter((path) => linux.maskedPaths.includes(path) && !seen.has(path)),
    ...READONLY_PATHS.filter((path) => linux.readonlyPaths.includes(path) && seen.get(path)?.includes("ro") !== true),
  ];
}

/** Of a runtime that is not known here (a virtual machine has a filter of its own, or none, that is not seen) it is said when none is seen. */
function hasSeccomp(ctx: EngineContext, { choice, config, init, row, hasCompiledFilter }: ConfineRequest): boolean {
  const isSeen = (): boolean => /^Seccomp:\s*2$/m.test(readProcessFile(init.pid, "status"));
  if (choice.name !== "crun" && choice.name !== "runc") {
    if (!isSeen())
      ctx.warn(`container ${row.name}: whether ${choice.name} applies the seccomp profile cannot be seen from here`);
    return true;
  }
  if (!config.process.noNewPrivileges) return isSeen();
  // With no_new_privs it is loaded just before the container's program; runc without it fails, and crun leaves what it compiled.
  return (
    choice.name === "runc" || hasCompiledFilter || existsSync(join(runtimeRoot(ctx, choice), row.id, "seccomp.bpf"))
  );
}

/** Targets of mounts that would open device nodes and are not of the runtime's own making or asked for as devices. Pure. */
export function mountsWithDevices(mounts: readonly MountLine[], config: OciConfig): string[] {
  const own = new Set([
    "/dev",
    "/dev/pts",
    "/dev/console",
    ...config.linux.maskedPaths,
    ...config.linux.readonlyPaths,
    ...config.mounts.flatMap(({ destination, options }) =>
      options.includes("nodev") || options.includes("rnodev") ? [] : [destination],
    ),
  ]);
  return mounts.flatMap(({ path, options }) => (options.includes("nodev") || own.has(path) ? [] : [path]));
}
