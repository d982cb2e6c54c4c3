/** Making a container: row, volumes, empty rootfs. Nothing is mounted, started or joined here. */

import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname as hostName } from "node:os";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { findSignal, signalNumber } from "../../lib/signals.js";
import { noteBinds } from "../host-paths.js";
import { containerLabels } from "../labels.js";
import { checkLogging } from "../logs/index.js";
import { ownedName } from "../owned-names.js";
import { keepParts, keptContent, splitSpec } from "../secrets/index.js";
import { type ContainerOwner, containerByName, insertContainer } from "../state/containers.js";
import { beginIntent, endIntent } from "../state/intents.js";
import type { ContainerSpec, Healthcheck, ImageConfig, ImageInfo, MountSpec, VolumeSpec } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { checkHostNames } from "./host-names.js";
import { labelsAtCreate } from "./labels.js";
import { findContainer, folderOf } from "./lookup.js";
import { commandLine } from "./oci/environment.js";
import { checkRecursive, checkTmpfsOptions, cleanTarget } from "./oci/mounts.js";
import { parseSecurityOptions } from "./oci/security.js";
import { owner as self } from "./owner.js";
import type { ContainerRecord, RecordedMount } from "./record.js";

const DEFAULT_STOP_TIMEOUT_MS = 10_000;

/** Makes a container; its id. All of it is undone when a step fails. `owner`: whoever removes it when it has ended. */
export async function createContainer(
  deps: RuntimeDeps,
  spec: ContainerSpec,
  owner: ContainerOwner | undefined = spec.removedByMaker === true
    ? { kind: "command", name: ownedName(deps.ctx.kernel) }
    : undefined,
): Promise<string> {
  const { ctx } = deps;
  checkName(spec.name);
  const image = spec.rootfs === undefined ? await (await deps.images()).inspect(spec.image, spec.platform) : undefined;
  const config = image?.config;
  const id = randomBytes(32).toString("hex");
  const argv = commandLine(spec, config);
  parseSecurityOptions(spec.securityOpt ?? []);
  for (const option of checkLogging(spec.name, spec.logging))
    ctx.warn(`container ${spec.name}: log option ${option} has no effect here`);
  checkHostNames(spec);

  const anonymous: VolumeSpec[] = [];
  const healthcheck = mergeHealthcheck(spec.healthcheck, config?.healthcheck);
  const record: ContainerRecord = {
    ...given({ image: config }),
    topChainId: image === undefined || image.diffIds.length === 0 ? "" : (await deps.images()).chainIdOf(image.diffIds),
    argv,
    hostname: spec.hostname ?? (spec.networkMode?.kind === "host" ? hostName() : id.slice(0, 12)),
    mounts: await resolveMounts(deps, spec, config, image, anonymous),
    ...given({ healthcheck }),
    stopSignal: stopSignalOf(spec, config),
    stopTimeoutMs: spec.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS,
    logPath: join(folderOf(ctx, id), "container.log"),
  };
  const labels = containerLabels(config?.labels, spec.labels);
  const { stored, kept } = splitSpec(id, spec, (held) =>
    keptContent(folderOf(ctx, findContainer(ctx, held.container).id), held.index, spec.name).toString(),
  );
  const createdAt = new Date().toISOString();
  const intent = ctx.state.transaction(() => {
    const selinux = labelsAtCreate(deps, spec);
    const row = {
      id,
      name: spec.name,
      spec: stored,
      imageId: image?.id ?? "",
      imageName: spec.rootfs ?? spec.image,
      record: selinux === undefined ? record : { ...record, selinux },
      bootId: ctx.kernel.bootId(),
      createdAt,
      labels,
      ...given({ owner }),
    };
    if (!insertContainer(ctx.state, row)) return undefined;
    // With the row: nobody would ever remove an anonymous volume that no container has.
    for (const volume of anonymous) deps.volumes.make(volume);
    for (const mount of record.mounts) if (mount.type === "volume") deps.volumes.use(mount.name, id);
    // Before any of those that are made together runs and can swap what others are to be given.
    noteBinds(ctx, record.mounts);
    return beginIntent(ctx.state, "create", id, self(ctx), ctx.kernel.bootId());
  });
  if (intent === undefined) {
    throw nameTaken(ctx, spec.name);
  }
  try {
    await mkdir(folderOf(ctx, id), { recursive: true, mode: 0o700 });
    keepParts(folderOf(ctx, id), kept);
    if (spec.rootfs === undefined) await (await deps.storage()).createRootfs(id, record.topChainId);
  } catch (error) {
    await ctx.kernel.removeTree(folderOf(ctx, id));
    await (await import("./remove.js")).forgetContainer(deps, id, true);
    throw error;
  }
  ctx.state.transaction(() => {
    endIntent(ctx.state, intent);
    ctx.emit({
      type: "container",
      action: "create",
      id,
      name: spec.name,
      attributes: { ...labels, image: spec.rootfs ?? spec.image, name: spec.name },
    });
  });
  return id;
}

/** Who has the name already, in docker's words; its labels are shown, they decide nothing. */
export function nameTaken(ctx: Pick<RuntimeDeps["ctx"], "state">, name: string): TscError {
  const holder = containerByName(ctx.state, name);
  const project = holder?.spec.labels?.["com.docker.compose.project"];
  const service = holder?.spec.labels?.["com.docker.compose.service"];
  const whose =
    project === undefined ? "" : ` (${service === undefined ? "" : `service ${service} of `}project ${project})`;
  const who = holder === undefined ? "" : ` by container ${holder.id.slice(0, 12)}${whose}`;
  return new TscError("TSC_CONTAINER_EXISTS", `the container name ${name} is already in use${who}`, {
    kind: "already-exists",
    hint: "remove or rename that container, or take another name",
  });
}

/** `TSC_CONTAINER_NAME` unless docker would take it. */
export function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,253}$/.test(name)) return;
  throw new TscError("TSC_CONTAINER_NAME", `${JSON.stringify(name)} is not a container name`, {
    kind: "invalid-input",
    hint: "use letters, digits, _ . and -, beginning with a letter or digit",
  });
}

/** The maker's word must be a signal (`TSC_SIGNAL_UNKNOWN`); what images say was checked when they came, but not by earlier versions. */
function stopSignalOf(spec: ContainerSpec, config: ImageConfig | undefined): string {
  if (spec.stopSignal !== undefined && spec.stopSignal !== "") {
    signalNumber(spec.stopSignal);
    return spec.stopSignal;
  }
  const fromImage = config?.stopSignal ?? "";
  return findSignal(fromImage) === undefined ? "SIGTERM" : fromImage;
}

/** The spec's health check over the image's; undefined when there is none or it is switched off. */
export function mergeHealthcheck(
  spec: Healthcheck | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  const test = spec !== undefined && spec.test.length > 0 ? spec.test : image?.test;
  if (test === undefined || test.length === 0 || test[0] === "NONE") return undefined;
  return { ...image, ...spec, test };
}

async function resolveMounts(
  deps: RuntimeDeps,
  spec: ContainerSpec,
  config: ImageConfig | undefined,
  image: ImageInfo | undefined,
  anonymous: VolumeSpec[],
): Promise<RecordedMount[]> {
  const mounts: RecordedMount[] = [];
  const taken = new Set<string>();
  const push = (mount: RecordedMount): void => {
    taken.add(mount.target);
    mounts.push(mount);
  };
  for (const mount of spec.mounts ?? []) push(await resolveMount(deps, mount, anonymous));
  for (const from of spec.volumesFrom ?? []) {
    for (const mount of findContainer(deps.ctx, from.container).record.mounts) {
      if (mount.type === "tmpfs" || taken.has(mount.target)) continue;
      const { selinux: _label, ...same } = mount;
      push({ ...same, readOnly: mount.readOnly || from.readOnly, anonymous: false });
    }
  }
  for (const target of config?.volumes ?? []) {
    const clean = cleanTarget(target);
    if (taken.has(clean)) continue;
    push(await resolveMount(deps, { type: "volume", source: "", target: clean }, anonymous));
  }
  if (image !== undefined && mounts.some((mount) => mount.type === "tmpfs" && mount.target === "/")) cleanTarget("/");
  return mounts;
}

async function resolveMount(deps: RuntimeDeps, mount: MountSpec, anonymous: VolumeSpec[]): Promise<RecordedMount> {
  const target = cleanTarget(mount.target);
  switch (mount.type) {
    case "bind":
      checkRecursive(mount);
      if (mount.selinux !== undefined && deps.host().selinux === undefined)
        deps.ctx.warn("z and Z of bind mounts have no effect: this host has no SELinux");
      return {
        type: "bind",
        name: "",
        source: mount.source,
        target,
        readOnly: mount.readOnly ?? false,
        anonymous: false,
        ...(mount.propagation === undefined ? {} : { propagation: checkPropagation(mount.propagation) }),
        ...given({
          recursive: mount.recursive,
          createHostPath: mount.createHostPath,
          subpath: mount.subpath,
          selinux: mount.selinux,
        }),
      };
    case "volume": {
      const fresh = mount.source === "" ? deps.volumes.anonymous(mount.labels) : undefined;
      if (fresh !== undefined) anonymous.push(fresh);
      const volume =
        fresh ?? (await deps.volumes.find(mount.source)) ?? (await deps.volumes.create({ name: mount.source }));
      return {
        type: "volume",
        name: volume.name,
        source: deps.volumes.mountpointOf(volume.name),
        target,
        readOnly: mount.readOnly ?? false,
        anonymous: volume.anonymous === true,
        ...given({ noCopy: mount.noCopy, subpath: mount.subpath }),
      };
    }
    case "tmpfs": {
      const options = [
        ...checkTmpfsOptions(mount.options ?? []),
        ...(mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`]),
        ...(mount.mode === undefined ? [] : [`mode=${mount.mode.toString(8)}`]),
        ...(mount.readOnly === true ? ["ro"] : []),
      ];
      return {
        type: "tmpfs",
        name: "",
        source: "",
        target,
        readOnly: mount.readOnly ?? false,
        anonymous: false,
        tmpfsOptions: options,
      };
    }
    case "image":
      return {
        type: "image",
        name: mount.source,
        source: "",
        target,
        readOnly: true,
        anonymous: false,
        ...given({ subpath: mount.subpath }),
      };
  }
}

function checkPropagation(text: string): string {
  if (["private", "rprivate", "shared", "rshared", "slave", "rslave"].includes(text)) return text;
  throw new TscError("TSC_MOUNT_PROPAGATION", `unknown mount propagation ${JSON.stringify(text)}`, {
    kind: "invalid-input",
  });
}
