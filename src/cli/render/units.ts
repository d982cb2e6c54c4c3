/** Sizes, spans and ids in the words of docker's tables. Pure. */
import { escaped } from "../../lib/printable.js";

const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Decimal units with `digits` significant digits: `187MB`, `4.2kB` (go-units HumanSizeWithPrecision). */
export function humanSize(bytes: number, digits = 3): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** Binary units with four significant digits: `12.5MiB` (go-units BytesSize). */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit] ?? ""}`;
}

/** `About a minute`, `3 hours`, `2 weeks` (go-units HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(ms / 3_600_000 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(ms / 3_600_000 / 24 / 365)} years`;
}

/** How long ago, `3 minutes ago`; empty for an empty time. */
export function ago(time: string, now: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "" : `${humanDuration(Math.max(0, now - at))} ago`;
}

/** The first twelve hex digits, without `sha256:`. */
export function shortId(id: string): string {
  const colon = id.indexOf(":");
  return id.slice(colon + 1, colon + 13);
}

/** At most `width` characters, the last of them `…` when cut. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

/** A Go-quoted string, `"a\tb"`. */
export function goQuote(text: string): string {
  return `"${escaped(text.replace(/["\\]/g, "\\$&"))}"`;
}

/** `2026-11-23 22:10:05 +0000 UTC`, the way Go prints a time of day in UTC; empty for an empty time. */
export function goTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "" : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
