/** Whether an existing container is what the project asks for (docs/reconcile.md R3). */
import { isNamespace, isShared, serviceReferences } from "../../compose/references.js";
import { type SharedContainer, sharedContainers } from "../../engine/sharing.js";
import type { ContainerSpec } from "../../engine/types.js";
import { explainDifference } from "../diff.js";
import { LABEL } from "../labels.js";
import type { ObservedContainer } from "../observe.js";
import { samePath } from "./container-spec.js";
import type { ServiceContext } from "./context.js";
import { isMade } from "./fate.js";

/** Why the container is not what the project asks for, or undefined. */
export function staleCause(
  context: ServiceContext,
  observed: ObservedContainer,
  spec: ContainerSpec,
): string | undefined {
  const { info } = observed;
  const wanted = spec.labels ?? {};
  if (observed.configHash !== wanted[LABEL.configHash]) {
    const difference = explainDifference(comparable(info.spec, observed), comparable(spec, observed));
    return difference === "" ? "config changed" : `config changed: ${difference}`;
  }
  if (wanted[LABEL.image] !== undefined && info.labels[LABEL.image] !== wanted[LABEL.image]) return "image changed";
  if ((info.labels[LABEL.imageVolumeDigest] ?? "") !== (wanted[LABEL.imageVolumeDigest] ?? "")) {
    return "image of a volume changed";
  }
  if ((info.labels[LABEL.files] ?? "") !== (wanted[LABEL.files] ?? "")) return "content of a config or secret changed";
  return (
    parentCause(context, observed) ??
    networkCause(observed, spec) ??
    volumeCause(observed, spec, context.replacedVolumes)
  );
}

/** Anonymous volumes carry names that say nothing about the configuration; what was in files is not shown, a label has its digest. */
function comparable(spec: ContainerSpec, { info }: ObservedContainer): ContainerSpec {
  const names = new Set(info.mounts.filter(({ anonymous }) => anonymous).map(({ name }) => name));
  const mounts = (spec.mounts ?? []).filter(
    (mount) => mount.type !== "volume" || (mount.source !== "" && !names.has(mount.source)),
  );
  const files = (spec.files ?? []).map(({ content: _content, held: _held, ...file }) => file);
  return { ...spec, mounts, files };
}

/** A container that shares a namespace or volumes is bound to that very container. */
function parentCause({ rec, config, fates }: ServiceContext, observed: ObservedContainer): string | undefined {
  const shares = serviceReferences(config).filter(isShared);
  for (const { how, service: parent } of shares) {
    const made = fates.get(parent)?.some(isMade);
    const what = isNamespace(how) ? "namespace" : "volumes";
    if (made === true) return `shares ${what} with ${parent}, which is recreated`;
  }
  // a namespace of a container that the project does not know is another's business
  if (shares.length === 0) return undefined;
  const isGone = ({ how, container }: SharedContainer): boolean =>
    how !== "volumes" && !rec.observed.containers.some(({ id, name }) => id === container || name === container);
  return sharedContainers(observed.info.spec).some(isGone)
    ? "shares a namespace with a container that is gone"
    : undefined;
}

function networkCause({ info }: ObservedContainer, spec: ContainerSpec): string | undefined {
  if (info.state !== "running") return undefined;
  for (const attachment of spec.networks ?? []) {
    const endpoint = info.networks.find(({ network }) => network === attachment.network);
    if (endpoint === undefined) return `network ${attachment.network} is not connected`;
    const missing = (attachment.aliases ?? []).find((alias) => !endpoint.aliases.includes(alias));
    if (missing !== undefined && endpoint.aliases.length > 0)
      return `network ${attachment.network}: alias ${missing} is missing`;
  }
  return undefined;
}

function volumeCause(
  { info }: ObservedContainer,
  spec: ContainerSpec,
  replaced: ReadonlySet<string>,
): string | undefined {
  for (const mount of spec.mounts ?? []) {
    if (mount.type !== "volume" || mount.source === "") continue;
    if (replaced.has(mount.source)) return `volume ${mount.source} is recreated`;
    const mounted = info.mounts.find(({ target, type }) => type === "volume" && samePath(target, mount.target));
    if (mounted !== undefined && mounted.name !== mount.source && !mounted.anonymous) {
      return `volume at ${mount.target} is ${mounted.name}, not ${mount.source}`;
    }
  }
  return undefined;
}
