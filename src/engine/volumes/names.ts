/** Names of volumes: which are allowed, and finding a volume by its own. */
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { getVolume } from "../state/volumes.js";
import type { VolumeInfo } from "../types.js";

/** The name itself; `TSC_VOLUME_NAME` unless it is letters, digits, `_`, `.`, `-` and begins with a letter or digit. */
export function validateVolumeName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name)) return name;
  throw new TscError("TSC_VOLUME_NAME", `${JSON.stringify(name)} is not a volume name`, {
    kind: "invalid-input",
    hint: "use letters, digits, _ . and -, beginning with a letter or digit; a host folder begins with / or ./",
  });
}

/** The volume of that name; `TSC_VOLUME_NOT_FOUND`. */
export function requireVolume(ctx: Pick<EngineContext, "state">, name: string): VolumeInfo {
  const record = getVolume(ctx.state, name);
  if (record !== undefined) return record.info;
  throw noSuchVolume(name);
}

/** `TSC_VOLUME_NOT_FOUND` for a name. */
export function noSuchVolume(name: string): TscError {
  return new TscError("TSC_VOLUME_NOT_FOUND", `no such volume: ${name}`, { kind: "not-found" });
}
