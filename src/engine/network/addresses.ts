/** IP addresses and prefixes as numbers. Pure arithmetic; knows no network. */
import { isIPv4, isIPv6 } from "node:net";
import { TscError } from "../../lib/errors.js";

/** An IP address as a number of 32 or 128 bits; numbers of two families are never compared. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}
/** A subnet: `value` has no bits behind the first `bits`. */
export interface Prefix extends Address {
  /** First address of the prefix is `value`. */
  readonly bits: number;
}

function invalid(text: string, what: string): TscError {
  return new TscError("TSC_ADDRESS_INVALID", `${JSON.stringify(text)} is not ${what}`, { kind: "invalid-input" });
}

/** Parses an IPv4 or IPv6 address without zone. `TSC_ADDRESS_INVALID`. */
export function parseAddress(text: string): Address {
  if (isIPv4(text)) {
    return { family: 4, value: text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  if (!isIPv6(text) || text.includes("%")) throw invalid(text, "an IP address");
  let words = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const low = parseAddress(dotted[2] ?? "").value;
    words = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const [head = "", tail] = words.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const all = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return { family: 6, value: all.reduce((sum, word) => (sum << 16n) + BigInt(`0x${word}`), 0n) };
}

/**
 * The MAC address of whoever has an address (with or without prefix length) on one of our bridges: neighbours that remember it stay right
 * when a container comes back, and when another one gets the address.
 */
export function macOf(address: string): string {
  const low = parseAddress(address.split("/")[0] ?? "").value & 0xffff_ffffn;
  const bytes = low.toString(16).padStart(8, "0").match(/../g) ?? [];
  return ["02", "42", ...bytes].join(":");
}

/** Canonical text; IPv6 after RFC 5952. */
export function formatAddress(address: Address): string {
  if (address.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => ((address.value >> shift) & 255n).toString()).join(".");
  }
  const words = Array.from({ length: 8 }, (_, i) => ((address.value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && words[i + length] === "0") length++;
    if (length > best.length) best = { start: i, length };
  }
  if (best.start < 0) return words.join(":");
  return `${words.slice(0, best.start).join(":")}::${words.slice(best.start + best.length).join(":")}`;
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Parses `10.0.0.0/24`; host bits are cleared. `TSC_ADDRESS_INVALID`. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf("/");
  const bitsText = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(bitsText)) throw invalid(text, "a subnet in CIDR form");
  const address = parseAddress(text.slice(0, slash));
  const bits = Number(bitsText);
  if (bits > widthOf(address.family)) throw invalid(text, "a subnet in CIDR form");
  const hostBits = BigInt(widthOf(address.family) - bits);
  return { family: address.family, value: (address.value >> hostBits) << hostBits, bits };
}

/** Canonical CIDR text, `10.0.0.0/24`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.bits}`;
}

/** Last address of the prefix. */
function lastOf(prefix: Prefix): bigint {
  return prefix.value + (1n << BigInt(widthOf(prefix.family) - prefix.bits)) - 1n;
}

/** Whether the address is one of the prefix's, its first and last included; never for one of the other family. */
export function contains(prefix: Prefix, address: Address): boolean {
  return prefix.family === address.family && address.value >= prefix.value && address.value <= lastOf(prefix);
}

/** Whether the prefixes have an address in common; never for two families. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.value <= lastOf(b) && b.value <= lastOf(a);
}

/** The addresses a container may get: without network address and (IPv4) broadcast, except in /31, /32, /127 and /128. */
export function usableRange(prefix: Prefix): { readonly first: bigint; readonly last: bigint } {
  const last = lastOf(prefix);
  if (widthOf(prefix.family) - prefix.bits < 2) return { first: prefix.value, last };
  return { first: prefix.value + 1n, last: prefix.family === 4 ? last - 1n : last };
}
