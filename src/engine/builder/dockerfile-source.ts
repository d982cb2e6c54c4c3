/**
 * Reads the Dockerfile of a build. One inside the context is opened there, so that no link of a stranger's context leads out of it; one
 * outside is a person's own choice (`-f`, `dockerfile: ../x`), but a file that does not begin as a Dockerfile is never quoted.
 */

import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import type { Kernel } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { readRegularFile } from "../../lib/read-file.js";
import type { BuildRequest } from "../api.js";
import { lexDockerfile } from "./dockerfile/lexer.js";

const MAX_BYTES = 4 << 20;
const INLINE = "dockerfile_inline";

/** The text of a Dockerfile, and where it comes from. */
export interface DockerfileSource {
  readonly text: string;
  /** In errors. */
  readonly name: string;
  /** Path inside the context, for `NAME.dockerignore`. */
  readonly inContext: string | undefined;
}

/** `TSC_BUILD_CONTEXT` when there is none, or none that may be read. */
export function readDockerfile(kernel: Kernel, request: BuildRequest, contextRoot: string): DockerfileSource {
  if (request.dockerfileInline !== undefined) {
    return { text: request.dockerfileInline, name: INLINE, inContext: undefined };
  }
  const names = request.dockerfile === undefined ? ["Dockerfile", "Containerfile"] : [request.dockerfile];
  for (const name of names) {
    const path = isAbsolute(name) ? name : join(contextRoot, name);
    const inContext = placeInside(contextRoot, path);
    const shown = isAbsolute(name) ? name : (inContext ?? name);
    const data = inContext === undefined ? outside(path) : inside(kernel, contextRoot, inContext, path);
    if (data === undefined) continue;
    if (data.length > MAX_BYTES) throw refused(`Dockerfile ${path} is larger than ${MAX_BYTES >> 20} MiB`);
    const text = data.toString("utf8");
    if (inContext === undefined && !/^(?:FROM|ARG)\s/i.test(lexDockerfile(text).lines[0]?.text ?? "")) {
      throw new TscError("TSC_DOCKERFILE", `${shown} is no Dockerfile: it does not begin with FROM or ARG`, {
        kind: "invalid-input",
      });
    }
    return { text, name: shown, inContext };
  }
  throw new TscError("TSC_BUILD_CONTEXT", `no ${names.join(" or ")} in ${contextRoot}`, {
    kind: "not-found",
    hint: "set build.dockerfile, or dockerfile_inline",
  });
}

/** The path as the context has it, or undefined for one that lies outside as it is written. */
function placeInside(contextRoot: string, path: string): string | undefined {
  let whole = path;
  try {
    // the context's own folder is known by its real path, however a person writes it
    if (relative(contextRoot, path).startsWith("..")) whole = join(realpathSync(dirname(path)), basename(path));
  } catch {
    // a folder that is not there: the file is not either
  }
  const place = relative(contextRoot, whole);
  return place === ".." || place.startsWith("../") || isAbsolute(place) ? undefined : place;
}

function inside(kernel: Kernel, contextRoot: string, place: string, path: string): Buffer | undefined {
  let data: Buffer | undefined;
  try {
    data = kernel.readFileInRoot(contextRoot, place, MAX_BYTES);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EINVAL") throw refused(`Dockerfile ${path} is not a file`);
    if (errno === "EFBIG") throw refused(`Dockerfile ${path} is larger than ${MAX_BYTES >> 20} MiB`);
    if (errno !== "ELOOP") throw error;
  }
  if (data === undefined && isThere(path)) {
    throw refused(`Dockerfile ${path} is a link that leads out of the build context`, "name its target instead");
  }
  return data;
}

function outside(path: string): Buffer | undefined {
  const data = readRegularFile(path, MAX_BYTES);
  if (data === undefined && isThere(path)) throw refused(`Dockerfile ${path} is not a file that can be read`);
  return data;
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function refused(message: string, hint?: string): TscError {
  return new TscError("TSC_BUILD_CONTEXT", message, {
    kind: "invalid-input",
    ...given({ hint }),
  });
}
