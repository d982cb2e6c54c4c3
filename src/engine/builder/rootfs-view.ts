/** Read-only look at the filesystem a step stands on: where a path leads, what is there, who a user name is. */
import { lstatSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { BuildDeps } from "./deps.js";
import { cleanPath } from "./dockerignore.js";
import type { StageState } from "./state.js";

const MAX_ACCOUNTS_BYTES = 4 << 20;

/** A mounted root filesystem as steps look into it; links in it never lead out. */
export interface RootfsView extends AsyncDisposable {
  /** Path from the root without a leading slash, links resolved; missing last parts are kept as written. */
  canonical(path: string): string;
  /** What is at a canonical path (links not followed). */
  stat(canonicalPath: string): Stats | undefined;
  /** Text of a regular file, or "" when missing. */
  read(path: string): string;
}

/** A filesystem with nothing in it. */
export const EMPTY_VIEW: RootfsView = {
  canonical: cleanPath,
  stat: () => undefined,
  read: () => "",
  [Symbol.asyncDispose]: async () => {},
};

/** Mounts the layers of a state until disposed. */
export async function viewRootfs(deps: BuildDeps, state: StageState): Promise<RootfsView> {
  const { kernel } = deps.ctx;
  if (state.chainId === "") return EMPTY_VIEW;
  const mounted = await deps.storage.viewImage(state.chainId);
  const root = mounted.path;
  return {
    canonical(path) {
      const segments = cleanPath(path).split("/");
      for (let known = segments.length; known > 0; known--) {
        try {
          using found = kernel.openInRoot(root, `/${segments.slice(0, known).join("/")}`);
          return cleanPath([found.within, ...segments.slice(known)].join("/"));
        } catch (error) {
          const code = errnoOf(error);
          if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") throw error;
        }
      }
      return cleanPath(path);
    },
    stat(canonicalPath) {
      try {
        using parent = kernel.openInRoot(root, posix.dirname(`/${canonicalPath}`));
        return lstatSync(join(parent.path, posix.basename(canonicalPath)));
      } catch (error) {
        const code = errnoOf(error);
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw error;
      }
    },
    read: (path) => kernel.readFileInRoot(root, path, MAX_ACCOUNTS_BYTES)?.toString("utf8") ?? "",
    [Symbol.asyncDispose]: () => mounted[Symbol.asyncDispose](),
  };
}

/** Thrown for a name that /etc/passwd or /etc/group of the rootfs does not have. */
export class UnknownOwnerError extends Error {}

/** uid and gid of `--chown=USER[:GROUP]`; a lone number is both, a lone name has its primary group. */
export function resolveOwner(view: RootfsView, owner: string): { uid: number; gid: number } {
  const [user = "", group] = owner.split(":", 2);
  const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1;
  let uid: number;
  let primary: number;
  if (isNumber(user)) {
    uid = Number(user);
    primary = uid;
  } else {
    const fields = account(view.read("/etc/passwd"), user);
    if (fields === undefined)
      throw new UnknownOwnerError(`unable to find user ${user}: no matching entries in passwd file`);
    uid = Number(fields[2]);
    primary = Number(fields[3]);
  }
  if (group === undefined || group === "") return { uid, gid: primary };
  if (isNumber(group)) return { uid, gid: Number(group) };
  const fields = account(view.read("/etc/group"), group);
  if (fields === undefined)
    throw new UnknownOwnerError(`unable to find group ${group}: no matching entries in group file`);
  return { uid, gid: Number(fields[2]) };
}

function account(file: string, name: string): string[] | undefined {
  for (const line of file.split("\n")) {
    const fields = line.split(":");
    if (fields[0] === name && /^\d+$/.test(fields[2] ?? "")) return fields;
  }
  return undefined;
}
