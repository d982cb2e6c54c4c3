/** Chooses addresses for a container on one network. Pure: taken addresses come in, the choice goes out. */
import { TscError } from "../../lib/errors.js";
import type { NetworkSubnet } from "../types.js";
import {
  type Address,
  contains,
  formatAddress,
  formatPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
  usableRange,
} from "./addresses.js";

/** What is known when one container gets one address of a subnet. Addresses are canonical text (`formatAddress`), but for `wanted`. */
export interface AllocationRequest {
  readonly network: string;
  readonly subnet: NetworkSubnet;
  /** Addresses others hold, canonical text → holder. */
  readonly taken: ReadonlyMap<string, string>;
  /** Address asked for by the person, or "". */
  readonly wanted: string;
  /** Address the container had before, or "". */
  readonly previous: string;
  /** Last address given out, or "". */
  readonly cursor: string;
}

function isReserved(subnet: NetworkSubnet, address: Address): boolean {
  const text = formatAddress(address);
  return text === subnet.gateway || Object.values(subnet.auxAddresses ?? {}).includes(text);
}

/** Whether `text` lies in the subnet. */
export function isIn(subnet: NetworkSubnet, text: string): boolean {
  return contains(parsePrefix(subnet.subnet), parseAddress(text));
}

/**
 * The address: the one asked for, else the one it had, else the next free one after the cursor (so that an address is
 * reused as late as possible). `TSC_ADDRESS_TAKEN`, `TSC_ADDRESS_OUTSIDE`, `TSC_NETWORK_FULL`.
 */
export function allocateAddress(request: AllocationRequest): string {
  const { subnet, taken, wanted } = request;
  const prefix = parsePrefix(subnet.subnet);
  const usable = usableRange(prefix);
  if (wanted !== "") {
    const address = parseAddress(wanted);
    const text = formatAddress(address);
    if (address.family !== prefix.family || address.value < usable.first || address.value > usable.last) {
      throw new TscError(
        "TSC_ADDRESS_OUTSIDE",
        `address ${wanted} is not in ${formatPrefix(prefix)} of network ${request.network}`,
        {
          kind: "invalid-input",
        },
      );
    }
    const holder = text === subnet.gateway ? "the gateway" : taken.get(text);
    if (holder !== undefined) {
      throw new TscError("TSC_ADDRESS_TAKEN", `address ${text} on network ${request.network} is taken by ${holder}`, {
        kind: "conflict",
      });
    }
    return text;
  }
  const pool: Prefix = subnet.ipRange === undefined ? prefix : parsePrefix(subnet.ipRange);
  const whole =
    subnet.ipRange === undefined
      ? usable
      : { first: pool.value, last: pool.value + (1n << BigInt((pool.family === 4 ? 32 : 128) - pool.bits)) - 1n };
  const first = whole.first < usable.first ? usable.first : whole.first;
  const last = whole.last > usable.last ? usable.last : whole.last;
  const isFree = (value: bigint): boolean => {
    const address: Address = { family: prefix.family, value };
    return !isReserved(subnet, address) && !taken.has(formatAddress(address));
  };
  if (request.previous !== "") {
    const previous = parseAddress(request.previous);
    if (
      previous.family === prefix.family &&
      previous.value >= first &&
      previous.value <= last &&
      isFree(previous.value)
    ) {
      return formatAddress(previous);
    }
  }
  const size = last - first + 1n;
  const cursor = request.cursor === "" ? undefined : parseAddress(request.cursor).value;
  const start = cursor === undefined || cursor < first || cursor > last ? first : cursor + 1n;
  // At most taken + reserved addresses can be in the way.
  const limit = BigInt(taken.size + 2 + Object.keys(subnet.auxAddresses ?? {}).length);
  for (let i = 0n; i <= limit && i < size; i++) {
    const value = first + ((start - first + i) % size);
    if (isFree(value)) return formatAddress({ family: prefix.family, value });
  }
  throw new TscError(
    "TSC_NETWORK_FULL",
    `network ${request.network} has no free address left in ${formatPrefix(pool)}`,
    {
      kind: "unavailable",
      hint: "remove containers that are not needed or give the network a larger subnet",
    },
  );
}
