/** The build cache: keys made of everything that decides a step's result, records in the state database. */
import { createHash } from "node:crypto";
import { getStep, putStep, type StepRecord } from "../state/build-steps.js";
import type { BuildDeps } from "./deps.js";
import { encodeImageConfig } from "./image-config.js";
import type { StageState } from "./state.js";

/** Raised when a step's meaning changes, so that results of older versions are not taken for it. */
const FORMAT = "1";

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

/** The result stored under a key whose layer, if it made one, is still there. */
export function findStep(deps: BuildDeps, key: string): StepRecord | undefined {
  const record = getStep(deps.ctx.state, key);
  return record?.chainId === undefined || deps.storage.hasLayer(record.chainId) ? record : undefined;
}

/** Remembers a result. */
export function storeStep(deps: BuildDeps, key: string, record: StepRecord): void {
  putStep(deps.ctx.state, key, record);
}
