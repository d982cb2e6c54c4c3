/** The build cache: keys made of everything that decides a step's result, records in the state database. */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { getStep, putStep, type StepRecord } from "../state/build-steps.js";
import { takeLock } from "../take-lock.js";
import type { Build } from "./deps.js";
import { encodeImageConfig } from "./image-config.js";
import type { StageState } from "./state.js";

/** Raised when a step's meaning changes, so that results of older versions are not taken for it. */
const FORMAT = "2";

/** A key over parts; no two lists of parts give the same. */
export function cacheKey(...parts: readonly unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify([FORMAT, ...parts]))
    .digest("hex");
}

/** Identifies a whole state: layers, configuration and history (a config match alone can be forged, CVE-2024-24557). */
export function stateKey(state: StageState): string {
  return cacheKey("state", encodeImageConfig(state), state.chainId, state.args);
}

/** What a layer-making step stands on: the layers and the machine. */
export function rootfsKey(state: StageState): string {
  return cacheKey("rootfs", state.chainId, state.os, state.architecture, state.variant);
}

/**
 * The result stored under a key whose layer, if it made one, is still there. A build without a cache takes what another one has made since
 * it began.
 */
function findStep({ deps, request, startedAt }: Build, key: string): StepRecord | undefined {
  const record = getStep(deps.ctx.state, key);
  if (request.noCache === true && (record?.ranAt ?? 0) < startedAt) return undefined;
  return record?.chainId === undefined || deps.storage.hasLayer(record.chainId) ? record : undefined;
}

/**
 * The step's result: the stored one, or what `make` gives, which is stored. Builds that come to the same step at the same time, in this
 * command or another, wait for the one that was first, so that all have the same layer. `announce` is told which it is.
 */
export async function onceForAll(
  build: Build,
  key: string,
  announce: (cached: boolean) => void,
  make: () => Promise<StepRecord>,
): Promise<StepRecord> {
  const known = findStep(build, key);
  if (known !== undefined) {
    announce(true);
    return known;
  }
  const { ctx } = build.deps;
  const name = `build-step-${key}`;
  using _lock = await takeLock(ctx, name, "a step that another build has as well", { signal: build.signal });
  try {
    const made = findStep(build, key);
    announce(made !== undefined);
    if (made !== undefined) return made;
    const record = { ...(await make()), ranAt: Date.now() };
    putStep(ctx.state, key, record);
    return record;
  } finally {
    // still held: who waits for it sees that it has gone and takes the next
    rmSync(join(ctx.paths.locks, name), { force: true });
  }
}
