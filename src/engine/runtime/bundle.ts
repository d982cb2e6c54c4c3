/** Writes what a start needs: config.json and the files bound over /etc/hosts and its like. Starts nothing. */

import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { readRegularFile } from "../../lib/read-file.js";
import { hostPlace } from "../host-paths.js";
import type { AttachResult } from "../network/types.js";
import { injectFiles, keptContent, requiredEnv } from "../secrets/index.js";
import type { ContainerRow } from "../state/containers.js";
import { resolveBind } from "./bind-source.js";
import type { RuntimeDeps } from "./deps.js";
import { type Donors, networkDonor } from "./donors.js";
import { labelForContainers } from "./labels.js";
import { hostsText } from "./links.js";
import { bundleOf, folderOf } from "./lookup.js";
import { checkNestedTargets } from "./nested-targets.js";
import { collectDevices } from "./oci/devices.js";
import { containerEnvironment } from "./oci/environment.js";
import type { FileBind, SourcedMount } from "./oci/mounts.js";
import { parseSeccompProfile, type SeccompProfile } from "./oci/seccomp.js";
import { ociConfig, ociJson } from "./oci/spec.js";
import { resolveUser } from "./oci/users.js";
import { findProgram } from "./oci-runtime.js";
import { pinned, pinnedSource } from "./pins.js";
import type { RecordedMount, RuntimeChoice } from "./record.js";
import { type FilterUse, useCompiledFilter } from "./seccomp-filter.js";
import { mountShm, shmFolder } from "./shm.js";
import { settleTargets } from "./targets.js";

const MAX_PASSWD_BYTES = 4 << 20;
const SECCOMP_FILES = ["/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"];
const INIT_TARGET = "/run/tscompose-init";

/** What a start knows when it writes the bundle. */
export interface BundleFacts {
  readonly rootfs: string;
  readonly choice: RuntimeChoice;
  readonly cgroupPath: string;
  readonly network: AttachResult;
  readonly donors: Donors;
}

/** Writes bundle and files; what config.json says, and the name of the seccomp filter that the create must compile (see seccomp-filter.ts). */
export async function writeBundle(deps: RuntimeDeps, row: ContainerRow, facts: BundleFacts): Promise<FilterUse> {
  const { ctx } = deps;
  const { spec, record } = row;
  const host = deps.host();
  const bundle = bundleOf(ctx, row.id);
  const { rootfs } = facts;
  const etc = (name: string): string =>
    ctx.kernel.readFileInRoot(rootfs, `/etc/${name}`, MAX_PASSWD_BYTES)?.toString() ?? "";
  const user = resolveUser({
    user: spec.user ?? record.image?.user ?? "",
    groupAdd: spec.groupAdd ?? [],
    passwd: etc("passwd"),
    group: etc("group"),
  });
  if (host.singleId && user.uid !== 0) {
    throw new TscError(
      "TSC_SINGLE_ID",
      `container ${row.name}: user ${user.uid} does not exist with a single mapped id`,
      {
        kind: "unsupported",
        hint: "give your user a range in /etc/subuid and /etc/subgid",
        exitCode: 125,
      },
    );
  }
  const cwd = workingFolder(deps, row, rootfs);
  const given = { ...spec, ...requiredEnv(folderOf(ctx, row.id), spec) };
  const env = containerEnvironment(given, record.image, { hostname: record.hostname, home: user.home });
  const binds = await boundFiles(deps, row, facts, user);
  const init = spec.init === true ? initProgram() : undefined;
  if (init !== undefined) binds.push({ source: init, target: INIT_TARGET, readOnly: true });
  const mounts = await Promise.all(
    record.mounts.map(async (mount) => withKind(await resolveSource(deps, row, mount, rootfs))),
  );
  const joined = new Map([...facts.donors].map(([reference, { pid }]) => [reference, pid]));
  const extra =
    spec.cdiDevices === undefined || spec.cdiDevices.length === 0
      ? { nodes: [], rules: [], mounts: [] }
      : (await import("./oci/cdi.js")).cdiDevices(spec.cdiDevices);
  const plain = ociConfig({
    spec,
    host,
    rootfs,
    argv: init === undefined ? record.argv : [INIT_TARGET, "--", ...record.argv],
    env,
    cwd,
    user,
    hostname: record.hostname,
    namespaces: { netnsPath: facts.network.netnsPath, joined },
    mounts: {
      mounts,
      binds,
      shmSource: shmSource(deps, row, bundle, facts.donors),
      hostNetwork: facts.network.netnsPath === "",
    },
    devices: collectDevices(spec, host, extra),
    labels: record.selinux,
    cgroupPath: facts.cgroupPath,
    seccompProfile: readProfile,
    warn: ctx.warn,
  });
  const profile = plain.process.apparmorProfile;
  if (profile !== undefined) await (await import("./apparmor.js")).ensureProfile(ctx, row.name, profile);
  const settled = settleTargets(ctx.kernel, row.name, rootfs, plain);
  await checkNestedTargets(deps, row, facts.choice, settled.mounts);
  const { config, compiles } = useCompiledFilter(ctx, facts.choice, settled);
  writeFileSync(join(bundle, "config.json"), ociJson(config), { mode: 0o600 });
  return { config, compiles };
}

/** WORKDIR inside the container, made when missing, never through a link that leaves the rootfs (CVE-2024-21626). */
function workingFolder(deps: RuntimeDeps, row: ContainerRow, rootfs: string): string {
  const cwd = row.spec.workingDir || row.record.image?.workingDir || "/";
  if (!cwd.startsWith("/") || /^\/+proc(\/|$)/.test(cwd) || cwd.includes("\0")) {
    throw new TscError(
      "TSC_WORKING_DIR",
      `container ${row.name}: working directory ${JSON.stringify(cwd)} is refused`,
      {
        kind: "invalid-input",
        hint: "give an absolute path outside /proc",
        exitCode: 125,
      },
    );
  }
  if (cwd !== "/") {
    using _made = deps.ctx.kernel.openInRoot(rootfs, cwd, { createDirectories: true, uid: 0, gid: 0, mode: 0o755 });
  }
  return cwd;
}

/**
 * The files over /etc/hosts and its like lie where the container's log lies, not in the run folder: a container may write them as long as
 * there is room, and the run folder is a file system in the host's memory.
 */
async function boundFiles(
  deps: RuntimeDeps,
  row: ContainerRow,
  facts: BundleFacts,
  user: { readonly uid: number; readonly gid: number },
): Promise<FileBind[]> {
  const { ctx } = deps;
  const { spec, record } = row;
  const bundle = bundleOf(ctx, row.id);
  const taken = new Set(record.mounts.map((mount) => mount.target));
  const folder = folderOf(ctx, row.id);
  const donor = networkDonor(row, facts.donors);
  const shared = donor === undefined ? folder : folderOf(ctx, donor.id);
  writeForAll(join(folder, "hostname"), `${record.hostname}\n`);
  if (donor === undefined) {
    const networking = await deps.networking();
    const mode = spec.networkMode;
    const resolvConf = networking.resolvConf({
      id: row.id,
      ...given({ mode, dns: spec.dns, dnsSearch: spec.dnsSearch, dnsOptions: spec.dnsOptions }),
    });
    writeForAll(join(folder, "resolv.conf"), resolvConf);
    writeForAll(join(folder, "hosts"), await hostsText(deps, row, facts.network.endpoints));
  }
  const own = (source: string, target: string): FileBind => ({
    source,
    target,
    // docker: what it binds over a read-only root file system is read-only too
    readOnly: spec.readOnly === true,
    inert: true,
  });
  const binds = [
    own(join(folder, "hostname"), "/etc/hostname"),
    own(join(shared, "resolv.conf"), "/etc/resolv.conf"),
    ...(spec.noHosts === true ? [] : [own(join(shared, "hosts"), "/etc/hosts")]),
  ].filter((bind) => !taken.has(bind.target));
  await labelForContainers(deps, ...binds.map(({ source }) => source));
  const held = (index: number, target: string) => keptContent(folderOf(ctx, row.id), index, `${row.name}: ${target}`);
  return [
    ...binds,
    ...(await injectFiles(ctx.kernel, {
      folder: join(bundle, "files"),
      files: spec.files ?? [],
      contentOf: held,
      safeSource: (path) => pinnedSource(ctx, bundle, hostPlace(ctx, path), path),
      user,
      label: record.selinux?.mount,
    })),
  ];
}

/** Readable for every user of the container, whatever our umask is and its root has made of the file. Short: a promise would cost more. */
function writeForAll(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
}

/** Gives a mount the host path to be bound: volume mounted and filled, image mounted, bind made, a subpath pinned. */
async function resolveSource(
  deps: RuntimeDeps,
  row: ContainerRow,
  mount: RecordedMount,
  rootfs: string,
): Promise<RecordedMount> {
  const bundle = bundleOf(deps.ctx, row.id);
  switch (mount.type) {
    case "bind":
      return await resolveBind(deps, row, mount, bundle);
    case "volume": {
      const folder = await deps.volumes.mount(mount.name);
      if (mount.noCopy !== true && mount.subpath === undefined)
        await deps.volumes.copyUp(mount.name, rootfs, mount.target);
      await deps.volumes.label(mount.name);
      return pinned(deps.ctx.kernel, bundle, folder, mount);
    }
    case "image": {
      const images = await deps.images();
      const image = await images.inspect(mount.name);
      const storage = await deps.storage();
      const folder = await storage.mountImage(
        `${row.id}-${image.id.slice(7, 19)}`,
        images.chainIdOf(image.diffIds),
        row.record.selinux?.mount,
      );
      return pinned(deps.ctx.kernel, bundle, folder, mount);
    }
    case "tmpfs":
      return mount;
  }
}

/** Only read-only mounts differ by what their source is. */
function withKind(mount: RecordedMount): SourcedMount {
  if (!mount.readOnly || mount.type === "tmpfs" || statSync(mount.source).isDirectory()) return mount;
  return { ...mount, isFile: true };
}

function shmSource(deps: RuntimeDeps, row: ContainerRow, bundle: string, donors: Donors): string | undefined {
  const mode = row.spec.ipc;
  if (mode?.kind === "host") return "/dev/shm";
  if (mode?.kind === "shareable")
    return mountShm(deps.ctx.kernel, bundle, row.spec.shmSizeBytes, row.record.selinux?.mount);
  const donor = mode?.kind === "container" ? donors.get(mode.container) : undefined;
  if (donor === undefined) return undefined;
  if (donor.spec.ipc?.kind === "host") return "/dev/shm";
  if (donor.spec.ipc?.kind === "shareable") return shmFolder(bundleOf(deps.ctx, donor.id));
  throw new TscError("TSC_IPC_NOT_SHAREABLE", `cannot join IPC of container ${donor.name}: non-shareable IPC`, {
    kind: "conflict",
    hint: "give the donor container `ipc: shareable`",
    exitCode: 125,
  });
}

function initProgram(): string {
  const path = findProgram("catatonit") ?? findProgram("/usr/libexec/podman/catatonit") ?? findProgram("tini-static");
  if (path !== undefined) return path;
  throw new TscError("TSC_MISSING_PROGRAM", "no init program is installed, and the container asks for one", {
    kind: "unavailable",
    hint: "apt-get install catatonit",
    exitCode: 125,
  });
}

let defaultProfile: SeccompProfile | undefined;
let builtIn: Promise<SeccompProfile> | undefined;

/** Loads the built-in profile ahead, so that reading profiles can stay synchronous. */
export async function loadDefaultSeccomp(): Promise<void> {
  if (defaultProfile !== undefined) return;
  const found = SECCOMP_FILES.find((path) => existsSync(path));
  if (found !== undefined) {
    defaultProfile = parseSeccompProfile(readFileSync(found, "utf8"), found);
    return;
  }
  builtIn ??= import("./oci/seccomp-default.js").then((module) => module.DEFAULT_SECCOMP);
  defaultProfile = await builtIn;
}

/** docker's own has 15 KiB. */
const MAX_PROFILE_BYTES = 1 << 20;

function readProfile(path: string | undefined): SeccompProfile {
  if (path === undefined || path === "builtin" || path === "default") {
    if (defaultProfile === undefined) throw new TscError("TSC_INTERNAL", "the seccomp profile is not loaded");
    return defaultProfile;
  }
  if (path.trimStart().startsWith("{")) return parseSeccompProfile(path, path);
  const text = readRegularFile(path, MAX_PROFILE_BYTES);
  if (text !== undefined && text.length <= MAX_PROFILE_BYTES) return parseSeccompProfile(text.toString(), path);
  const reason = text === undefined ? "cannot be read" : `is larger than ${MAX_PROFILE_BYTES >> 20} MiB`;
  throw new TscError("TSC_SECCOMP_INVALID", `seccomp profile ${path} ${reason}`, { kind: "not-found", exitCode: 125 });
}
