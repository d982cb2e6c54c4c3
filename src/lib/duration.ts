/** Durations in Go's spelling (`1m30s`), with days and weeks besides, exact to the nanosecond. */
import { TscError } from "./errors.js";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** Nanoseconds of `1h2m3.5s`; `d` and `w` are accepted as well. Throws TSC_DURATION_INVALID. */
export function parseGoDuration(text: string): bigint {
  const quoted = JSON.stringify(text);
  const fail = (message: string): TscError => new TscError("TSC_DURATION_INVALID", message, { kind: "invalid-input" });
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0n;
  if (rest === "") throw fail(`time: invalid duration ${quoted}`);
  let total = 0n;
  while (rest !== "") {
    const match = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest);
    const [whole = "", digits = "", fraction = "", unit = ""] = match ?? [];
    if (whole === "" || (digits === "" && fraction === "")) throw fail(`time: invalid duration ${quoted}`);
    if (unit === "") throw fail(`time: missing unit in duration ${quoted}`);
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (scale === undefined) throw fail(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += BigInt(digits === "" ? 0 : digits) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    rest = rest.slice(whole.length);
  }
  if (total > 9_223_372_036_854_775_807n) throw fail(`time: invalid duration ${quoted}`);
  return text.startsWith("-") ? -total : total;
}

/**
 * Milliseconds of `1m30s`, `500ms`, `2d`, or of a bare `0`; undefined for anything else (a bare number has no unit). May be
 * fractional below a millisecond.
 */
export function parseDurationMs(text: string): number | undefined {
  try {
    return Number(parseGoDuration(text)) / 1e6;
  } catch {
    return undefined;
  }
}

/** Go's spelling of nanoseconds: `1m30s`, `1.5s`, `100ms`, `0s`. */
export function formatGoDuration(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? "-" : "";
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value === 0n) return "0s";
  if (value < 1000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 1000n, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 1_000_000n, 6)}ms`;
  const minutes = value / 60_000_000_000n;
  const seconds = `${decimal(value % 60_000_000_000n, 1_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return `${sign}${hours === 0n ? "" : `${hours}h`}${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, unit: bigint, digits: number): string {
  const fraction = (value % unit).toString().padStart(digits, "0").replace(/0+$/, "");
  return fraction === "" ? String(value / unit) : `${value / unit}.${fraction}`;
}
