/** `cp` as docker defines it: which containers, which direction, and what a trailing slash means. The bytes are tar streams. */
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, posix, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { EngineApi } from "../../engine/api.js";
import type { ContainerInfo } from "../../engine/types.js";
import { ignoreMissing, TscError } from "../../lib/errors.js";
import type { CliContext } from "../context.js";
import { projectContainers, projectName, serviceContainer } from "../select.js";
import { usage } from "../usage.js";
import { extractTar } from "./extract.js";
import { packPath } from "./pack.js";

/** The two places as typed, `NAME:PATH`, a local path or `-` for a tar on standard input or output, and `cp`'s flags. */
export interface CopyRequest {
  readonly source: string;
  readonly target: string;
  readonly archive: boolean;
  readonly followLink: boolean;
}

/** Copies; into every container that `find` gives for the name before the colon, out of the first one. */
export async function copyFiles(
  ctx: CliContext,
  request: CopyRequest,
  find: (name: string) => Promise<readonly ContainerInfo[]>,
): Promise<void> {
  const source = splitArgument(request.source);
  const target = splitArgument(request.target);
  if (source.service !== "" && target.service !== "") {
    throw usage("copying between services is not supported");
  }
  if (source.service === "" && target.service === "") {
    throw usage("unknown copy direction: neither path is of the form SERVICE:PATH");
  }
  const service = source.service || target.service;
  const containers = await find(service);
  const engine = await ctx.engine();
  // a stream can be read or written once only
  const isOut = source.service !== "";
  const chosen = isOut || source.path === "-" ? containers.slice(0, 1) : containers;
  for (const info of chosen) {
    const what = isOut
      ? `${info.name}:${source.path} to ${target.path}`
      : `${source.path} to ${info.name}:${target.path}`;
    if (ctx.globals.dryRun) {
      const { tellDryRun } = await import("../dry-run.js");
      tellDryRun(ctx, info.name, `Copied ${what}`);
      continue;
    }
    const { withItemProgress } = await import("../engine-progress.js");
    const words = { id: info.name, doing: "Copying", done: "Copied", details: what };
    await withItemProgress(ctx, words, async () => {
      if (isOut) await copyOut(ctx, engine, info, source.path, target.path, request);
      else await copyIn(ctx, engine, info, source.path, target.path, request);
    });
  }
}

/** The containers of a service that `cp` means. `TSC_CONTAINER_NOT_FOUND`. */
export async function serviceContainers(
  ctx: CliContext,
  service: string,
  request: { readonly index: number; readonly all: boolean },
): Promise<readonly ContainerInfo[]> {
  const [project, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  if (request.index > 0) return [await serviceContainer(engine, project, service, { index: request.index, all: true })];
  const oneOff = request.all ? "include" : "exclude";
  const found = await projectContainers(engine, project, { services: [service], all: true, oneOff });
  if (found.length > 0) return found;
  throw new TscError("TSC_CONTAINER_NOT_FOUND", `no container found for service "${service}"`, { kind: "not-found" });
}

/** `SERVICE:PATH`; a path that begins with `.` or `/` is always local. */
export function splitArgument(argument: string): { readonly service: string; readonly path: string } {
  const colon = argument.indexOf(":");
  if (argument.startsWith("/") || argument.startsWith(".") || colon < 0) return { service: "", path: argument };
  return { service: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

async function copyOut(
  ctx: CliContext,
  engine: EngineApi,
  info: ContainerInfo,
  path: string,
  target: string,
  request: CopyRequest,
): Promise<void> {
  const from = await engine.containers.stat(info.id, path);
  if (from === undefined) throw missing(`could not find the file ${path} in container ${info.name}`);
  if (target === "-") {
    const tar = await engine.containers.copyOut(info.id, path, { followLink: request.followLink });
    await pipeline(tar, ctx.stdout, { end: false, signal: ctx.signal });
    return;
  }
  const local = await throughLinks(resolve(ctx.cwd, target));
  const onDisk = await stat(local).catch(ignoreMissing);
  // A rename would put a file in the place of /dev/null for everybody.
  if (onDisk !== undefined && !onDisk.isDirectory() && !onDisk.isFile()) {
    const got = onDisk.isCharacterDevice() || onDisk.isBlockDevice() ? "a device" : "an irregular file";
    throw conflict(`invalid output path: ${JSON.stringify(local)} must be a directory or a regular file: got ${got}`);
  }
  const isFolder =
    from.isDirectory || (from.isSymlink && request.followLink && (await isDirectory(engine, info, path)));
  if (target.endsWith("/") && onDisk === undefined && !isFolder) {
    throw missing(`directory ${local} does not exist`);
  }
  if (isFolder && onDisk !== undefined && !onDisk.isDirectory()) {
    throw conflict(`cannot copy a directory onto the file ${local}`);
  }
  if (onDisk === undefined && !(await stat(dirname(local)).catch(ignoreMissing))?.isDirectory()) {
    throw missing(`directory ${dirname(local)} does not exist`);
  }
  const tar = await engine.containers.copyOut(info.id, path, { followLink: request.followLink });
  const contentOnly = isFolder && /(^|\/)\.$/.test(path);
  const base = posix.basename(posix.resolve("/", path)) || "/";
  const { folder, name } =
    onDisk?.isDirectory() === true
      ? { folder: local, name: contentOnly ? "." : base }
      : { folder: dirname(local), name: basename(local) };
  await extractTar(Readable.from(tar), { folder, name, archive: request.archive });
}

const MAX_LINKS = 10;

/** Where a destination's last links lead, as docker follows them; what is missing at their end is made there. */
async function throughLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    if ((await lstat(at).catch(ignoreMissing))?.isSymbolicLink() !== true) return at;
    at = resolve(dirname(at), await readlink(at));
  }
  throw conflict(`too many symbolic links in ${path}`);
}

async function isDirectory(engine: EngineApi, info: ContainerInfo, path: string): Promise<boolean> {
  return (await engine.containers.stat(info.id, posix.join(path, ".")))?.isDirectory === true;
}

async function copyIn(
  ctx: CliContext,
  engine: EngineApi,
  info: ContainerInfo,
  source: string,
  path: string,
  request: CopyRequest,
): Promise<void> {
  const place = await resolveInside(engine, info, path);
  if (source === "-") {
    if (!place.isDirectory) throw conflict(`destination "${info.name}:${path}" must be a directory`);
    await engine.containers.copyIn(info.id, place.path, ctx.stdin, { archive: request.archive });
    return;
  }
  const local = resolve(ctx.cwd, source);
  const seen = await lstat(local).catch(ignoreMissing);
  if (seen === undefined) throw missing(`no such file or directory: ${local}`);
  const actual = request.followLink || source.endsWith("/") ? await realpath(local) : local;
  const isFolder = (await lstat(actual)).isDirectory();
  if (source.endsWith("/") && !isFolder) throw conflict(`${local} is not a directory`);
  if (path.endsWith("/") && !place.exists && !isFolder) {
    throw missing(`directory ${path} does not exist in container ${info.name}`);
  }
  if (isFolder && place.exists && !place.isDirectory) {
    throw conflict(`cannot copy a directory onto the file ${info.name}:${path}`);
  }
  const contentOnly = isFolder && /(^|\/)\.$/.test(source);
  const folder = place.isDirectory ? place.path : posix.dirname(place.path);
  const name = place.isDirectory ? (contentOnly ? "." : basename(local)) : posix.basename(place.path);
  const tar = Readable.from(packPath(actual, { name, archive: request.archive }));
  await engine.containers.copyIn(info.id, folder, tar, { archive: request.archive });
}

/** Where a path in the container leads; a link as the last part is followed once, as docker does. */
async function resolveInside(
  engine: EngineApi,
  info: ContainerInfo,
  path: string,
): Promise<{ readonly path: string; readonly exists: boolean; readonly isDirectory: boolean }> {
  const absolute = posix.resolve("/", path);
  const first = await engine.containers.stat(info.id, absolute);
  if (first?.isSymlink !== true) {
    return { path: absolute, exists: first !== undefined, isDirectory: first?.isDirectory === true };
  }
  const target = posix.resolve(posix.dirname(absolute), first.linkTarget);
  const second = await engine.containers.stat(info.id, target);
  return { path: target, exists: second !== undefined, isDirectory: second?.isDirectory === true };
}
function missing(message: string): TscError {
  return new TscError("TSC_COPY_NOT_FOUND", message, { kind: "not-found" });
}
function conflict(message: string): TscError {
  return new TscError("TSC_COPY_CONFLICT", message, { kind: "conflict" });
}
