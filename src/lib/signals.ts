/** Signals as people and images write them. */
import { constants } from "node:os";
import { TscError } from "./errors.js";

/** Number of a signal by name (`SIGTERM`, `term`) or number; real-time ones as `SIGRTMIN+3`. Undefined when there is no such signal. */
export function findSignal(text: string): number | undefined {
  const upper = text.trim().toUpperCase();
  if (/^\d{1,2}$/.test(upper) && Number(upper) >= 1 && Number(upper) <= 64) return Number(upper);
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realTime = /^SIGRTM(IN|AX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime !== null) {
    const offset = Number(realTime[3] ?? 0);
    const number = realTime[1] === "IN" ? 34 + offset : 64 - offset;
    if (number >= 34 && number <= 64) return number;
  }
  return new Map<string, number>(Object.entries(constants.signals)).get(name);
}

/** Like `findSignal`; `TSC_SIGNAL_UNKNOWN` when there is no such signal. */
export function signalNumber(text: string): number {
  const number = findSignal(text);
  if (number !== undefined) return number;
  throw new TscError("TSC_SIGNAL_UNKNOWN", `invalid signal: ${text}`, { kind: "invalid-input" });
}
