/** Picks free subnets for new networks and checks those a person asked for. Reads /proc/net routes; changes nothing. */
import { createHash, randomBytes } from "node:crypto";
import { machineFile } from "../../kernel/proc.js";
import { TscError } from "../../lib/errors.js";
import type { NetworkSubnet } from "../types.js";
import {
  type Address,
  contains,
  formatAddress,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  usableRange,
} from "./addresses.js";

/** Parses /proc/net/route (addresses are little-endian hex words); the default route is left out. */
export function parseRoutes4(text: string): Prefix[] {
  const prefixes: Prefix[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.split("\t");
    const destination = fields[1]?.trim();
    const mask = fields[7]?.trim();
    if (destination === undefined || mask === undefined || !/^[0-9A-F]{8}$/i.test(destination)) continue;
    const swap = (hex: string): bigint => BigInt(`0x${hex.match(/../g)?.reverse().join("") ?? "0"}`);
    const bits = swap(mask).toString(2).replaceAll("0", "").length;
    if (bits > 0) prefixes.push({ family: 4, value: swap(destination), bits });
  }
  return prefixes;
}

/** Parses /proc/net/ipv6_route; default, loopback, link-local and multicast routes are left out. */
export function parseRoutes6(text: string): Prefix[] {
  const prefixes: Prefix[] = [];
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const destination = fields[0];
    const bits = Number.parseInt(fields[1] ?? "", 16);
    if (destination === undefined || !/^[0-9a-f]{32}$/i.test(destination) || !(bits > 8)) continue;
    const value = BigInt(`0x${destination}`);
    if (value === 1n || value >> 118n === 0x3fan) continue;
    prefixes.push({ family: 6, value, bits });
  }
  return prefixes;
}

/** Subnets the machine routes now. */
export function hostRoutes(): Prefix[] {
  return [...parseRoutes4(machineFile("net/route") ?? ""), ...parseRoutes6(machineFile("net/ipv6_route") ?? "")];
}

/** Number of /24 blocks in 10.89.0.0–10.255.255.0, the pool podman uses too. */
const POOL_BLOCKS = (255 - 89 + 1) * 256;

/**
 * The first free /24 of the pool. Engines with a root of their own start at another place each, so that two engines on
 * one machine do not choose the same subnet before either has a bridge. `TSC_NETWORK_POOL_EMPTY`.
 */
export function pickSubnet4(taken: readonly Prefix[], seed: string): Prefix {
  const offset = seed === "" ? 0 : (createHash("sha256").update(seed).digest().readUInt32BE(0) % POOL_BLOCKS) & ~0xff;
  for (let i = 0; i < POOL_BLOCKS; i++) {
    const candidate: Prefix = {
      family: 4,
      value: (10n << 24n) + (89n << 16n) + BigInt((offset + i) % POOL_BLOCKS) * 256n,
      bits: 24,
    };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  throw new TscError("TSC_NETWORK_POOL_EMPTY", "no free subnet is left in 10.89.0.0–10.255.255.255", {
    kind: "unavailable",
    hint: "remove unused networks or give the network a subnet of its own (ipam.config.subnet)",
  });
}

/** A random unique local /64 (RFC 4193) that nobody here uses. */
export function pickSubnet6(taken: readonly Prefix[]): Prefix {
  for (;;) {
    const value = BigInt(`0xfd${randomBytes(5).toString("hex")}${randomBytes(2).toString("hex")}`) << 64n;
    const candidate: Prefix = { family: 6, value, bits: 64 };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
}

function refuse(message: string, hint?: string): TscError {
  return new TscError("TSC_NETWORK_SUBNET_INVALID", message, {
    kind: "invalid-input",
    ...(hint === undefined ? {} : { hint }),
  });
}

function addressIn(prefix: Prefix, text: string, what: string): Address {
  const address = parseAddress(text);
  if (!contains(prefix, address)) throw refuse(`${what} ${text} is not in subnet ${formatPrefix(prefix)}`);
  return address;
}

/** Checks one subnet a person gave and completes it with its gateway (first usable address by default). */
export function completeSubnet(subnet: NetworkSubnet): NetworkSubnet {
  const prefix = parsePrefix(subnet.subnet);
  if (prefix.bits < 8 && prefix.family === 4) throw refuse(`subnet ${subnet.subnet} is too large`);
  const range = usableRange(prefix);
  const gateway =
    subnet.gateway === undefined || subnet.gateway === ""
      ? { family: prefix.family, value: range.first }
      : addressIn(prefix, subnet.gateway, "gateway");
  if (gateway.value < range.first || gateway.value > range.last) {
    throw refuse(`gateway ${formatAddress(gateway)} is not a host address of ${formatPrefix(prefix)}`);
  }
  let ipRange: Prefix | undefined;
  if (subnet.ipRange !== undefined && subnet.ipRange !== "") {
    ipRange = parsePrefix(subnet.ipRange);
    if (!contains(prefix, ipRange) || ipRange.bits < prefix.bits) {
      throw refuse(`ip_range ${subnet.ipRange} is not in subnet ${formatPrefix(prefix)}`);
    }
  }
  const aux = Object.entries(subnet.auxAddresses ?? {}).map(
    ([name, text]) => [name, formatAddress(addressIn(prefix, text, `aux_address ${name}`))] as const,
  );
  return {
    subnet: formatPrefix(prefix),
    gateway: formatAddress(gateway),
    ...(ipRange === undefined ? {} : { ipRange: formatPrefix(ipRange) }),
    ...(aux.length === 0 ? {} : { auxAddresses: Object.fromEntries(aux) }),
  };
}

/** Throws `TSC_NETWORK_SUBNET_TAKEN` when a subnet meets another network (`owner`) or a route of the machine. */
export function checkFree(
  subnet: NetworkSubnet,
  others: readonly { readonly prefix: Prefix; readonly owner: string }[],
): void {
  const prefix = parsePrefix(subnet.subnet);
  const other = others.find((candidate) => overlaps(prefix, candidate.prefix));
  if (other === undefined) return;
  throw new TscError(
    "TSC_NETWORK_SUBNET_TAKEN",
    `subnet ${subnet.subnet} overlaps ${formatPrefix(other.prefix)} of ${other.owner}`,
    { kind: "conflict", hint: "choose another subnet or remove the other network" },
  );
}
