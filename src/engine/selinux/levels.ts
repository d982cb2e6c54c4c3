/** Levels for containers: no two of a store have the same. `taken` asks for the mount labels that the store's containers have. */
import { randomInt } from "node:crypto";
import { formatContext, freeLevel, levelOf, parseContext } from "./context.js";
import { labellingPolicy } from "./policy.js";

/** A level that no container of the store has. To be recorded in the transaction that asks. */
export function ownLevel(taken: () => readonly string[], base: string): string {
  return freeLevel(base, new Set(taken().map(levelOf)), (below) => randomInt(below));
}

/** The label of the root file system that a build step runs in, with a level that no container has; undefined where there are no labels. */
export function labelForBuild(taken: () => readonly string[]): string | undefined {
  const file = parseContext(labellingPolicy()?.file ?? "");
  return file === undefined ? undefined : formatContext({ ...file, level: ownLevel(taken, file.level) });
}
