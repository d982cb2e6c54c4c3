/** Writes the OCI image config (image-spec config.md, docker's Healthcheck, OnBuild and Shell with it). Pure and deterministic. */
import type { Healthcheck, ImageConfig } from "../types.js";
import type { StageState } from "./state.js";

const set = (items: readonly string[]): Record<string, object> | undefined =>
  items.length === 0 ? undefined : Object.fromEntries([...new Set(items)].sort().map((item) => [item, {}]));
const list = (items: readonly string[]): readonly string[] | undefined => (items.length === 0 ? undefined : items);
const text = (value: string): string | undefined => (value === "" ? undefined : value);

/** The config as an object without undefined fields in a fixed order; `rootfs` is added by the images part. */
export function encodeImageConfig(image: StageState): Readonly<Record<string, unknown>> {
  return JSON.parse(
    JSON.stringify({
      created: text(image.createdAt),
      author: text(image.author),
      architecture: image.architecture,
      variant: text(image.variant),
      os: image.os,
      config: encodeRunConfig(image.config),
      history: image.history.map((entry) => ({
        created: entry.created,
        created_by: entry.createdBy,
        author: entry.author,
        comment: entry.comment,
        empty_layer: entry.emptyLayer === true ? true : undefined,
      })),
    }),
  );
}

function encodeRunConfig(config: ImageConfig): Record<string, unknown> {
  const labels = Object.entries(config.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    User: text(config.user),
    ExposedPorts: set(config.exposedPorts),
    Env: list(config.env),
    Entrypoint: list(config.entrypoint),
    Cmd: list(config.command),
    Healthcheck: config.healthcheck === undefined ? undefined : encodeHealthcheck(config.healthcheck),
    Volumes: set(config.volumes),
    WorkingDir: text(config.workingDir),
    Labels: labels.length === 0 ? undefined : Object.fromEntries(labels),
    StopSignal: text(config.stopSignal),
    OnBuild: list(config.onBuild),
    Shell: list(config.shell),
  };
}

function encodeHealthcheck(check: Healthcheck): Record<string, unknown> {
  const nano = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * 1e6));
  return {
    Test: check.test,
    Interval: nano(check.intervalMs),
    Timeout: nano(check.timeoutMs),
    StartPeriod: nano(check.startPeriodMs),
    StartInterval: nano(check.startIntervalMs),
    Retries: check.retries,
  };
}
