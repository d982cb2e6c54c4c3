/** Levels for containers: no two of a store have the same. */
import { randomInt } from "node:crypto";
import { mountLabels } from "../state/containers.js";
import type { State } from "../state/index.js";
import { formatContext, freeLevel, levelOf, parseContext } from "./context.js";
import { labellingPolicy } from "./policy.js";

/** A level that no container of the store has. To be recorded in the transaction that asks. */
export function ownLevel(state: State, base: string): string {
  return freeLevel(base, new Set(mountLabels(state).map(levelOf)), (below) => randomInt(below));
}

/** The label of the root file system that a build step runs in, with a level that no container has; undefined where there are no labels. */
export function labelForBuild(state: State): string | undefined {
  const file = parseContext(labellingPolicy()?.file ?? "");
  return file === undefined ? undefined : formatContext({ ...file, level: ownLevel(state, file.level) });
}
