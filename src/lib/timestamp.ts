/** Points in time as people write them (`--since`, `--until`) and as logs and events store them: nanoseconds since the epoch. */
import { TscError } from "./errors.js";

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

/** Nanoseconds since the epoch now, with the microsecond resolution that Node has. */
export function nowNano(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/** Nanoseconds since the epoch of an RFC 3339 time (any offset, up to nine decimals), or undefined. */
export function parseRfc3339Nano(text: string): bigint | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [, day, clock, fraction = "", zone] = match;
  const seconds = Date.parse(`${day}T${clock}${zone === "z" ? "Z" : zone}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** The UTC form with nine decimals and `Z`. */
export function formatRfc3339Nano(nano: bigint): string {
  const fraction = ((nano % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nano - fraction) / 1_000_000_000n;
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${base}.${fraction.toString().padStart(9, "0")}Z`;
}

function parseSpan(text: string): bigint | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|\u00b5s|ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0n;
  for (const [, digits = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|\u00b5s|ms|s|m|h|d)/g)) {
    const [whole = "0", fraction = ""] = digits.split(".");
    const scale = UNIT_NS[unit] ?? 0n;
    total += BigInt(whole) * scale + (BigInt(fraction.padEnd(9, "0").slice(0, 9)) * scale) / 1_000_000_000n;
  }
  return total;
}

/**
 * What docker's `--since` and `--until` accept: RFC 3339 (the time, the seconds and the zone may be left out;
 * then local time counts), seconds since the epoch with a fraction, or a span before `now` (`10m`, `1h30m`).
 * Undefined when it is none of them.
 */
export function parsePointInTime(text: string, now: bigint = nowNano()): bigint | undefined {
  const trimmed = text.trim();
  const exact = parseRfc3339Nano(trimmed);
  if (exact !== undefined) return exact;
  const epoch = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(trimmed);
  if (epoch !== null) return BigInt(epoch[1] ?? 0) * 1_000_000_000n + BigInt((epoch[2] ?? "").padEnd(9, "0"));
  const span = parseSpan(trimmed);
  if (span !== undefined) return now - span;
  const loose =
    /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}(?::\d{2}(?::\d{2})?)?)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2})?$/.exec(trimmed);
  if (loose === null) return undefined;
  const [, day, clock = "00", fraction = "", zone = ""] = loose;
  const full = clock.length === 2 ? `${clock}:00:00` : clock.length === 5 ? `${clock}:00` : clock;
  const ms = Date.parse(`${day}T${full}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** The point in time that an option was given; undefined for none. `TSC_TIME_INVALID` with docker's words. */
export function pointInTime(option: string, text: string | undefined): bigint | undefined {
  if (text === undefined || text === "") return undefined;
  const nano = parsePointInTime(text);
  if (nano !== undefined) return nano;
  throw new TscError(
    "TSC_TIME_INVALID",
    `invalid value for "${option}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
    {
      kind: "invalid-input",
      hint: "write 2026-01-31T10:00:00Z, seconds since 1970, or a span such as 10m",
    },
  );
}
