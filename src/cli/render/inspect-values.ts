/** Values that several of docker's objects have in the same form. Pure. */
import type { Healthcheck } from "../../engine/types.js";
import { openMap } from "./template.js";

/** What Go prints for no time. */
export const NO_TIME = "0001-01-01T00:00:00Z";

/** An empty list is null. */
export const orNull = <T>(list: readonly T[] | undefined): readonly T[] | null =>
  list === undefined || list.length === 0 ? null : list;

/** `80` and `80/udp` as docker's set of ports. */
export function exposed(ports: readonly string[]): object {
  return openMap(Object.fromEntries(ports.map((port) => [withProtocol(port), {}])));
}

/** `80` → `80/tcp`. */
export const withProtocol = (port: string): string => (port.includes("/") ? port : `${port}/tcp`);

/** Durations in nanoseconds, as in docker's API. */
export function healthcheck(check: Healthcheck): object {
  const nanos = (ms: number | undefined) => (ms === undefined ? 0 : ms * 1e6);
  return {
    Test: check.test,
    Interval: nanos(check.intervalMs),
    Timeout: nanos(check.timeoutMs),
    StartPeriod: nanos(check.startPeriodMs),
    StartInterval: nanos(check.startIntervalMs),
    Retries: check.retries ?? 0,
  };
}
