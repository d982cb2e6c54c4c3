/**
 * Mount targets in folders that other containers write to. Before 1.1.14 runc looks such a target up, and then makes it by its path: whoever swaps a
 * folder for a link between the two has it made on the host (CVE-2024-45310). crun opens each step inside the root.
 */
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { hostPlace } from "../host-paths.js";
import { type ContainerRow, listContainers } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import type { OciConfig } from "./oci/types.js";
import { findProgram } from "./oci-runtime.js";
import type { RecordedMount, RuntimeChoice } from "./record.js";

/** `TSC_MOUNT_TARGET` where such a runc is asked for and crun could be had; a warning where it is all there is. Costs nothing with crun. */
export async function checkNestedTargets(
  deps: RuntimeDeps,
  row: ContainerRow,
  choice: RuntimeChoice,
  mounts: OciConfig["mounts"],
): Promise<void> {
  if (choice.name !== "runc") return;
  const found = nestedInShared(row, mounts, () => listContainers(deps.ctx.state), await placesOf(deps));
  if (found === undefined) return;
  const version = await versionOf(deps, choice.path);
  if (makesTargetsSafely(version)) return;
  const why = `container ${row.name}: mount target ${found.target} lies in ${found.folder}, which container ${found.writer} writes to: runc ${version} may make it outside`;
  if (findProgram("crun") === undefined) {
    deps.ctx.warn(`${why} (CVE-2024-45310)`);
    return;
  }
  throw new TscError("TSC_MOUNT_TARGET", why, {
    kind: "denied",
    hint: "leave runtime: out (crun is installed and does not), or install runc 1.1.14 or later",
    exitCode: 125,
  });
}

/** Where a mount's content lies: one may have a volume by its name and another by its folder, or by the device that it shows. */
async function placesOf({ ctx, volumes }: RuntimeDeps): Promise<(mount: RecordedMount) => readonly string[]> {
  const devices = new Map((await volumes.list()).map(({ name, driverOpts }) => [name, driverOpts["device"] ?? ""]));
  const canonical = (path: string): string => {
    const { folder, below } = hostPlace(ctx, path);
    return join(folder, below);
  };
  return ({ type, name, source }) =>
    [source, type === "volume" ? (devices.get(name) ?? "") : ""].filter((path) => path.startsWith("/")).map(canonical);
}

/** A target below a mount that another container has to write; undefined when there is none. Pure but for what it is given. */
export function nestedInShared(
  row: Pick<ContainerRow, "id" | "record">,
  mounts: readonly { readonly destination: string }[],
  others: () => readonly Pick<ContainerRow, "id" | "name" | "record">[],
  placesOf: (mount: RecordedMount) => readonly string[],
): { readonly target: string; readonly folder: string; readonly writer: string } | undefined {
  const outer = row.record.mounts.filter(isShareable);
  const pairs = outer.flatMap((mount) => {
    const nested = mounts.find(({ destination }) => destination.startsWith(`${mount.target}/`));
    return nested === undefined ? [] : [{ places: placesOf(mount), folder: mount.target, target: nested.destination }];
  });
  if (pairs.length === 0) return undefined;
  for (const { id, name, record } of others()) {
    if (id === row.id) continue;
    const theirs = record.mounts.filter((mount) => isShareable(mount) && !mount.readOnly).flatMap(placesOf);
    const pair = pairs.find(({ places }) => places.some((place) => theirs.some((other) => doOverlap(place, other))));
    if (pair !== undefined) return { target: pair.target, folder: pair.folder, writer: name };
  }
  return undefined;
}

function isShareable({ type }: RecordedMount): boolean {
  return type === "bind" || type === "volume";
}

function doOverlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

async function versionOf({ ctx }: RuntimeDeps, path: string): Promise<string> {
  const { stdout } = await ctx.kernel.run(path, ["--version"], { env: {}, cwd: "/" });
  return /^runc version (\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? "";
}

/** 1.1.14, 1.2.0-rc.3 and what came after them. Pure. */
export function makesTargetsSafely(version: string): boolean {
  const [, major, minor, patch, rc] = /^(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?/.exec(version) ?? [];
  if (major === undefined) return false;
  const [one, two, three] = [Number(major), Number(minor), Number(patch)];
  if (one !== 1 || two > 2) return one > 1 || two > 2;
  if (two === 2) return three > 0 || rc === undefined || Number(rc) >= 3;
  return two === 1 && three >= 14;
}
