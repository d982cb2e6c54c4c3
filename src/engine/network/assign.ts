/** The addresses of one container on one network, from what the database says is free. */
import { TscError } from "../../lib/errors.js";
import { type EndpointRecord, takenAddresses } from "../state/endpoints.js";
import type { State } from "../state/index.js";
import { addressCursor, type NetworkRecord, setAddressCursor } from "../state/networks.js";
import type { NetworkAttachment } from "../types.js";
import { parsePrefix } from "./addresses.js";
import { allocateAddress, isIn } from "./allocate.js";
import type { AssignedAddress } from "./conflist.js";

/** Who wants addresses of which network, and what they had there before. */
export interface AssignRequest {
  readonly network: NetworkRecord;
  readonly containerId: string;
  readonly attachment: NetworkAttachment;
  readonly previous: EndpointRecord | undefined;
}

/** What a container is known by on a network; a family that the network has not is undefined. */
export interface Assigned {
  readonly ipv4: AssignedAddress | undefined;
  readonly ipv6: AssignedAddress | undefined;
}

/** Addresses, noted as given out. `TSC_ADDRESS_OUTSIDE`, `TSC_ADDRESS_TAKEN`, `TSC_NETWORK_FULL`. Call inside a transaction. */
export function assign(state: State, request: AssignRequest): Assigned {
  const { network, attachment, previous } = request;
  const others = takenAddresses(state, network.name).filter((row) => row.containerId !== request.containerId);
  const taken = new Map<string, string>();
  for (const row of others) {
    const holder = `container ${row.containerName}`;
    if (row.ipv4 !== "") taken.set(row.ipv4, holder);
    if (row.ipv6 !== "") taken.set(row.ipv6, holder);
  }
  const one = (family: 4 | 6, wanted: string, before: string): AssignedAddress | undefined => {
    const subnets = network.settings.subnets.filter(({ subnet }) => subnet.includes(":") === (family === 6));
    if (subnets.length === 0) {
      if (wanted === "") return undefined;
      throw new TscError(
        "TSC_ADDRESS_OUTSIDE",
        `address ${wanted}: network ${network.name} has no IPv${family} subnet`,
        { kind: "invalid-input" },
      );
    }
    const fitting = wanted === "" ? subnets : subnets.filter((subnet) => isIn(subnet, wanted));
    let full: unknown;
    for (const subnet of fitting.length === 0 ? subnets : fitting) {
      try {
        const cursor = addressCursor(state, network.name, subnet.subnet) ?? "";
        const text = allocateAddress({ network: network.name, subnet, taken, wanted, previous: before, cursor });
        if (wanted === "" && text !== before) setAddressCursor(state, network.name, subnet.subnet, text);
        return { address: `${text}/${parsePrefix(subnet.subnet).bits}`, gateway: subnet.gateway ?? "" };
      } catch (error) {
        full = error;
      }
    }
    throw full;
  };
  return {
    ipv4: one(4, attachment.ipv4 ?? "", previous?.endpoint.ipv4 ?? ""),
    ipv6: one(6, attachment.ipv6 ?? "", previous?.endpoint.ipv6 ?? ""),
  };
}
