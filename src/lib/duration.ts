/** Durations written as Go and compose write them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Milliseconds of `1m30s`, `500ms`, `2d`, or of a bare `0`; undefined for anything else (a bare number has no unit). May be
 * fractional below a millisecond.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  const negative = text.startsWith("-");
  const body = negative || text.startsWith("+") ? text.slice(1) : text;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, number = "0", unit = "s"] of body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/g)) {
    total += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  return negative ? -total : total;
}
