/** Where one engine's files lie. Decides folders from options and environment; makes none. */
import { isAbsolute, join } from "node:path";
import { TscError } from "../lib/errors.js";
import type { EnginePaths } from "./context.js";

/** What the choice of roots depends on. */
export interface PathFacts {
  readonly rootless: boolean;
  readonly hostUid: number;
  readonly root?: string | undefined;
  readonly runRoot?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The folders of an engine: options first, then TSCOMPOSE_ROOT / TSCOMPOSE_RUN_ROOT, then /var/lib and /run (rootful) or
 * the XDG folders (rootless; the launcher has verified and exported the run root). `TSC_PATH_INVALID` unless absolute.
 */
export function enginePaths(facts: PathFacts): EnginePaths {
  const { env, rootless } = facts;
  const data = nonEmpty(env.XDG_DATA_HOME) ?? join(nonEmpty(env.HOME) ?? "/", ".local/share");
  const run = nonEmpty(env.XDG_RUNTIME_DIR);
  const root =
    facts.root ?? nonEmpty(env.TSCOMPOSE_ROOT) ?? (rootless ? join(data, "tscompose") : "/var/lib/tscompose");
  const runRoot =
    facts.runRoot ??
    nonEmpty(env.TSCOMPOSE_RUN_ROOT) ??
    (rootless
      ? run === undefined
        ? `/tmp/tscompose-run-${facts.hostUid}`
        : join(run, "tscompose")
      : "/run/tscompose");
  for (const [what, path] of [
    ["store root", root],
    ["run root", runRoot],
  ] as const) {
    if (!isAbsolute(path) || path.includes("\0")) {
      throw new TscError("TSC_PATH_INVALID", `${what} ${JSON.stringify(path)} is not an absolute path`, {
        kind: "invalid-input",
      });
    }
  }
  return pathsBelow(root, runRoot);
}

/** Where what lies below the two roots. */
export function pathsBelow(root: string, runRoot: string): EnginePaths {
  return {
    root,
    runRoot,
    database: join(root, "state.db"),
    images: join(root, "images"),
    storage: join(root, "storage"),
    containers: join(root, "containers"),
    volumes: join(root, "volumes"),
    locks: join(runRoot, "locks"),
    netns: join(runRoot, "netns"),
    network: join(runRoot, "network"),
    containersRun: join(runRoot, "containers"),
    rootfs: join(runRoot, "rootfs"),
    exits: join(runRoot, "exits"),
    supervise: join(runRoot, "supervise"),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
