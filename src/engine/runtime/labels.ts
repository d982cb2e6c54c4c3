/** A container's SELinux labels: chosen once, with a pair of categories that no other container has, and kept in its record. */
import { TscError } from "../../lib/errors.js";
import type { HostPlace } from "../host-paths.js";
import {
  knowsContext,
  type Labels,
  labelForAll,
  labellingPolicy,
  labelsFor,
  levelOf,
  mayWriteToUs,
  ownLevel,
  relabel,
  relabelOwn,
  sharedLabel,
} from "../selinux/index.js";
import { type ContainerRow, mountLabels, saveRecord } from "../state/containers.js";
import type { ContainerSpec } from "../types.js";
import { conmonPath } from "./conmon.js";
import type { RuntimeDeps } from "./deps.js";
import type { Donors } from "./donors.js";
import { parseSecurityOptions } from "./oci/security.js";
import type { RecordedMount } from "./record.js";

const NO_LABELS = new Map<string, Labels>();

/**
 * The labels of a new container, for its record: inside the transaction that makes its row. Undefined without SELinux, and for one that joins others,
 * which is labelled at each start. `TSC_SELINUX` for what is asked for and cannot be had.
 */
export function labelsAtCreate({ ctx, host }: RuntimeDeps, spec: ContainerSpec): Labels | undefined {
  const words = parseSecurityOptions(spec.securityOpt ?? []).selinux;
  const policy = labellingPolicy();
  if (policy === undefined) {
    refuseLabels(spec.name, words, host().selinux?.lacks);
    return undefined;
  }
  if (joinsProcesses(spec)) return undefined;
  return chosen(ctx, spec, words, NO_LABELS);
}

/** The row with the labels for a start, saved. What was mounted with others is unmounted. */
export async function withLabels(deps: RuntimeDeps, row: ContainerRow, donors: Donors): Promise<ContainerRow> {
  const { ctx } = deps;
  const { selinux: before, ...record } = row.record;
  const words = parseSecurityOptions(row.spec.securityOpt ?? []).selinux;
  const policy = deps.host().selinux;
  if (policy === undefined || policy.lacks !== undefined) {
    if (policy !== undefined) ctx.warn(`containers run without an SELinux label here: ${policy.lacks}`);
    refuseLabels(row.name, words, policy?.lacks);
    return before === undefined ? row : { ...row, record };
  }
  if (before !== undefined && !joinsProcesses(row.spec)) return row;
  const joined = new Map(
    [...donors].flatMap(([name, { record: of }]) => (of.selinux === undefined ? [] : [[name, of.selinux]])),
  );
  const labelled = ctx.state.transaction(() => {
    const labels = chosen(ctx, row.spec, words, joined, before);
    const fresh = { ...row, record: { ...record, selinux: labels } };
    saveRecord(ctx.state, row.id, fresh.record);
    return fresh;
  });
  if (before?.mount !== labelled.record.selinux.mount && row.spec.rootfs === undefined)
    await (await deps.storage()).unmountRootfs(row.id);
  const { process } = labelled.record.selinux;
  if (process !== "" && policy.isEnforcing) checkPipes(deps, row.name, process);
  return labelled;
}

/** Where the policy gives the output of a container with that label to nobody, it is said. */
function checkPipes({ ctx }: RuntimeDeps, container: string, label: string): void {
  const path = conmonPath();
  using conmon = ctx.kernel.openInRoot("/", path);
  if (mayWriteToUs(label, ctx.kernel.fileLabel(conmon))) return;
  ctx.warn(
    `container ${container}: the SELinux policy does not let it write to conmon's pipes: its output is lost (label ${path} as the policy wants it: restorecon)`,
  );
}

function joinsProcesses({ pid, ipc }: Pick<ContainerSpec, "pid" | "ipc">): boolean {
  return pid?.kind === "container" || ipc?.kind === "container";
}

function chosen(
  { state }: RuntimeDeps["ctx"],
  spec: Pick<ContainerSpec, "name" | "privileged" | "pid" | "ipc">,
  words: readonly string[],
  joined: ReadonlyMap<string, Labels>,
  before?: Labels,
): Labels {
  const contexts = labellingPolicy();
  if (contexts === undefined) throw new TscError("TSC_INTERNAL", "labels are chosen without a policy");
  const labels = labelsFor({
    container: spec.name,
    options: words,
    contexts,
    isOpen: spec.privileged === true || spec.pid?.kind === "host" || spec.ipc?.kind === "host",
    joined: [spec.pid, spec.ipc].flatMap((mode) =>
      mode?.kind === "container" ? (joined.get(mode.container)?.process ?? []) : [],
    ),
    level: (base) => (before === undefined ? ownLevel(() => mountLabels(state), base) : levelOf(before.mount)),
  });
  const unknown = [labels.process, labels.mount].find((label) => label !== "" && !knowsContext(label));
  if (unknown === undefined) return labels;
  throw new TscError("TSC_SELINUX", `container ${spec.name}: the SELinux policy does not know ${unknown}`, {
    kind: "invalid-input",
    hint: "correct label= in security_opt, or say label=disable",
    exitCode: 125,
  });
}

function refuseLabels(container: string, words: readonly string[], lacks = "this host has no SELinux policy"): void {
  const asked = words.find((word) => word !== "disable");
  if (asked === undefined) return;
  throw new TscError("TSC_SELINUX", `container ${container}: label=${asked} cannot be had: ${lacks}`, {
    kind: "unsupported",
    hint: "remove label= from security_opt, or say label=disable",
    exitCode: 125,
  });
}

/** Gives the source of a bind mount the label that `:z` and `:Z` ask for. `TSC_RELABEL`. */
export async function labelBind(
  { ctx }: RuntimeDeps,
  row: ContainerRow,
  mount: RecordedMount,
  place: HostPlace,
): Promise<void> {
  const labels = row.record.selinux;
  if (mount.selinux === undefined || labels === undefined) return;
  const label = mount.selinux === "z" ? sharedLabel(labels.mount) : labels.mount;
  const path = place.below === "" ? { root: "/", path: mount.source } : { root: place.folder, path: place.below };
  await relabel(ctx.kernel, path, label, ctx.env.HOME);
}

/** Gives files of ours that containers share the label for all; nothing without SELinux. */
export async function labelForContainers({ ctx }: RuntimeDeps, ...paths: readonly string[]): Promise<void> {
  const label = labelForAll();
  if (label === undefined) return;
  for (const path of paths) await relabelOwn(ctx.kernel, path, label);
}
