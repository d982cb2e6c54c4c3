/** The spec of one container of a service: numbered, with its port of a range and the anonymous volumes of the one before it. */
import type { ContainerSpec, MountSpec } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { withoutTrailing } from "../../lib/trim.js";
import { containerName, imageKey, imageName } from "../names.js";
import type { ObservedContainer } from "../observe.js";
import { serviceSpec } from "../service-spec/index.js";
import type { ServiceContext } from "./context.js";

/** The spec; `previous` is the container that it replaces or is compared with. */
export function buildSpec(
  context: ServiceContext,
  number: number,
  previous: ObservedContainer | undefined,
): ContainerSpec {
  const { rec, service, config } = context;
  const { project, observed, options, plan } = rec;
  const separator = options.separator ?? "-";
  const imageOf = (reference: string, platform?: string): string =>
    observed.images.get(imageKey(reference, platform))?.id ?? "";
  const spec = serviceSpec({
    project,
    service,
    number,
    separator,
    imageId: imageOf(imageName(project.name, service, config, separator), config.platform),
    imageVolumeIds: (config.volumes ?? [])
      .filter(({ type }) => type === "image")
      .map(({ source }) => imageOf(source ?? ""))
      .filter((id) => id !== ""),
    choosePort: (port) => context.ports.choose(port, previous),
    containerOf: (other, what) => containerOf(context, other, what),
    ...given({ noHosts: options.noHosts }),
    warn: (message) => plan.warn(message),
  });
  return previous === undefined || options.renewAnonymousVolumes === true ? spec : inheritVolumes(spec, previous);
}

/** docs/reconcile.md R5: anonymous volumes of the previous container are mounted at the same places. */
function inheritVolumes(spec: ContainerSpec, previous: ObservedContainer): ContainerSpec {
  const anonymous = previous.info.mounts.filter(({ type, anonymous }) => type === "volume" && anonymous);
  if (anonymous.length === 0) return spec;
  const mounts: MountSpec[] = (spec.mounts ?? []).map((mount) => {
    if (mount.type !== "volume" || mount.source !== "") return mount;
    const old = anonymous.find(({ target }) => samePath(target, mount.target));
    return old === undefined ? mount : { ...mount, source: old.name };
  });
  for (const old of anonymous) {
    if (mounts.some(({ target }) => samePath(target, old.target))) continue;
    mounts.push({ type: "volume", source: old.name, target: old.target, ...(old.readOnly ? { readOnly: true } : {}) });
  }
  return { ...spec, mounts };
}

/** Paths that differ in trailing slashes alone are one. */
export function samePath(a: string, b: string): boolean {
  return withoutTrailing(a, "/") === withoutTrailing(b, "/");
}

function containerOf({ rec, fates }: ServiceContext, service: string, what: string): string {
  const decided = fates
    .get(service)
    ?.filter(({ fate }) => fate !== "surplus")
    .sort((a, b) => a.number - b.number)[0];
  if (decided !== undefined) return decided.target.name;
  const existing = rec.observed.containers.find((c) => c.service === service && !c.oneOff);
  if (existing !== undefined && rec.project.services[service] === undefined) return existing.id;
  throw new TscError("TSC_CONTAINER_MISSING", `cannot share ${what} with service ${service}: container missing`, {
    kind: "not-found",
  });
}

/** The name that an existing container has when nothing is left half-done. */
export function finalName({ rec, service, config }: ServiceContext, observed: ObservedContainer): string {
  if (observed.number === 0) return observed.name;
  return containerName(rec.project.name, service, config, observed.number, rec.options.separator ?? "-");
}
