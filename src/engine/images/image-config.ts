/** The OCI image config (image-spec config.md) read into our types. Pure; every field from the file is checked. */
import { TscError } from "../../lib/errors.js";
import type { ImageRecord } from "../state/images.js";
import type { Healthcheck, ImageConfig } from "../types.js";
import { isDigest } from "./digest.js";
import { parseJson } from "./manifest.js";

type Json = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
/** Commands may be a bare string in very old images: that is shell form. */
const argv = (value: unknown): string[] => (typeof value === "string" ? ["/bin/sh", "-c", value] : strings(value));

/**
 * The stored record of an image from its config bytes. `id` is the digest of those bytes; `sizeBytes` is filled in by the
 * caller. `TSC_IMAGE_CONFIG_INVALID`.
 */
export function readImageConfig(data: Uint8Array, id: string, what: string): Omit<ImageRecord, "sizeBytes"> {
  const raw = parseJson(data, `${what}: config`);
  const rootfs = object(raw.rootfs);
  const diffIds = rootfs.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw new TscError("TSC_IMAGE_CONFIG_INVALID", `${what}: config has no valid rootfs.diff_ids`, {
      kind: "invalid-input",
    });
  }
  return {
    id,
    createdAt: text(raw.created) || "1970-01-01T00:00:00Z",
    architecture: text(raw.architecture),
    os: text(raw.os) || "linux",
    variant: text(raw.variant),
    config: readRunConfig(object(raw.config)),
    diffIds,
    history: (Array.isArray(raw.history) ? raw.history : []).map((entry) => {
      const { created, created_by, author, comment, empty_layer } = object(entry);
      return {
        ...(text(created) === "" ? {} : { created: text(created) }),
        ...(text(created_by) === "" ? {} : { createdBy: text(created_by) }),
        ...(text(author) === "" ? {} : { author: text(author) }),
        ...(text(comment) === "" ? {} : { comment: text(comment) }),
        ...(empty_layer === true ? { emptyLayer: true } : {}),
      };
    }),
  };
}

function readRunConfig(raw: Json): ImageConfig {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(object(raw.Labels))) labels[key] = text(value);
  const healthcheck = readHealthcheck(raw.Healthcheck);
  return {
    user: text(raw.User),
    env: strings(raw.Env),
    entrypoint: argv(raw.Entrypoint),
    command: argv(raw.Cmd),
    workingDir: text(raw.WorkingDir),
    labels,
    exposedPorts: Object.keys(object(raw.ExposedPorts)),
    volumes: Object.keys(object(raw.Volumes)),
    stopSignal: text(raw.StopSignal),
    ...(healthcheck === undefined ? {} : { healthcheck }),
    onBuild: strings(raw.OnBuild),
    shell: strings(raw.Shell),
  };
}

/** docker's extension; durations are nanoseconds in the file, 0 means inherit. */
function readHealthcheck(value: unknown): Healthcheck | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const raw = value as Json;
  const test = strings(raw.Test);
  if (test.length === 0) return undefined;
  const duration = (field: unknown) => (typeof field === "number" && field > 0 ? field / 1e6 : undefined);
  const intervalMs = duration(raw.Interval);
  const timeoutMs = duration(raw.Timeout);
  const startPeriodMs = duration(raw.StartPeriod);
  const startIntervalMs = duration(raw.StartInterval);
  const retries = typeof raw.Retries === "number" && raw.Retries > 0 ? raw.Retries : undefined;
  return {
    test,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(startPeriodMs === undefined ? {} : { startPeriodMs }),
    ...(startIntervalMs === undefined ? {} : { startIntervalMs }),
    ...(retries === undefined ? {} : { retries }),
  };
}
