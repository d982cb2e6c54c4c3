/** An image's health check: docker's extension of the config. Pure. */
import { given } from "../../lib/given.js";
import { isObject } from "../../lib/is-object.js";
import type { Healthcheck } from "../types.js";
import type { FieldReader, Json } from "./image-fields.js";

/** Longest time and largest count that every timer and counter of ours holds. */
const MAX_NUMBER = 2 ** 31 - 1;

/** Durations are nanoseconds in the file, 0 and what is no time means inherit; undefined without a check. */
export function readHealthcheck(fields: FieldReader, value: unknown): Healthcheck | undefined {
  if (!isObject(value)) return undefined;
  const test = fields.list(value, "Test");
  if (test.length === 0) return undefined;
  if (!["NONE", "CMD", "CMD-SHELL"].includes(test[0] ?? "") || (test.length === 1 && test[0] !== "NONE")) {
    fields.leaveOut("Healthcheck", test.join(" "), "no check");
    return undefined;
  }
  const intervalMs = duration(value, "Interval");
  const timeoutMs = duration(value, "Timeout");
  const startPeriodMs = duration(value, "StartPeriod");
  const startIntervalMs = duration(value, "StartInterval");
  const retries = number(value, "Retries", 1);
  return {
    test,
    ...given({ intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries }),
  };
}

/** Milliseconds, at least one as docker asks for. */
function duration(raw: Json, name: string): number | undefined {
  return number(raw, name, 1e6);
}

function number(raw: Json, name: string, unit: number): number | undefined {
  const value = raw[name];
  if (typeof value !== "number" || !(value > 0)) return undefined;
  return Math.min(MAX_NUMBER, Math.max(1, Math.round(value / unit)));
}
