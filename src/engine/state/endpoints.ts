/**
 * Rows of the `endpoints` table: which container is (or was) on which network, with everything that taking it off again
 * needs, also after the network was edited. A row of another boot, or with phase `reserved`, only keeps the address.
 */
import type { ProcessIdentity } from "../../kernel/kernel.js";
import type { NetworkEndpoint, PortMapping } from "../types.js";
import type { State } from "./index.js";

/** A published port as it was reserved. */
export interface ReservedPort extends PortMapping {
  /** Rootless: the port inside the shared namespace that the uplink forwards to. */
  readonly innerPort?: number;
}

/** What the CNI specification asks a runtime to cache, and how far the attachment got. */
interface EndpointCni {
  /** `leaving`: off its network, but names and rules may still speak of it. */
  readonly phase: "adding" | "up" | "leaving" | "reserved";
  /** The command that is adding it. */
  readonly owner: ProcessIdentity;
  readonly containerName: string;
  readonly netnsPath: string;
  readonly ifName: string;
  /** Gives the default route and publishes the ports. */
  readonly primary: boolean;
  /** Upstream name servers of the container. */
  readonly dns: readonly string[];
  /** Names served on this network. */
  readonly names: readonly string[];
  readonly ports: readonly ReservedPort[];
  /** The list as it was run, CNI_ARGS, runtimeConfig and final result: input of DEL. */
  readonly conflist?: string;
  readonly args?: string;
  readonly capabilityArgs?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
}

/** A container on a network, in one boot of the machine. */
export interface EndpointRecord {
  readonly containerId: string;
  readonly network: string;
  readonly bootId: string;
  readonly endpoint: NetworkEndpoint;
  readonly cni: EndpointCni;
}

interface Row {
  container_id: string;
  network: string;
  boot_id: string;
  endpoint: string;
  cni: string;
}

function fromRow(row: Row): EndpointRecord {
  return {
    containerId: row.container_id,
    network: row.network,
    bootId: row.boot_id,
    endpoint: JSON.parse(row.endpoint) as NetworkEndpoint,
    cni: JSON.parse(row.cni) as EndpointCni,
  };
}

/** True for rows that stand for something real in this boot. */
export function isLive(record: EndpointRecord, bootId: string): boolean {
  return record.bootId === bootId && record.cni.phase !== "reserved";
}

/** All rows of a container, primary first, then by interface name. */
export function endpointsOf(state: State, containerId: string): EndpointRecord[] {
  return state
    .all<Row>("SELECT * FROM endpoints WHERE container_id = ?", containerId)
    .map(fromRow)
    .sort(
      (a, b) =>
        Number(b.cni.primary) - Number(a.cni.primary) ||
        a.cni.ifName.localeCompare(b.cni.ifName, "en", { numeric: true }),
    );
}

/** A container's endpoint on a network, of whatever boot. */
export function endpointOf(state: State, containerId: string, network: string): EndpointRecord | undefined {
  const row = state.get<Row>("SELECT * FROM endpoints WHERE container_id = ? AND network = ?", containerId, network);
  return row === undefined ? undefined : fromRow(row);
}

/** Rows of a network, reserved ones included, in a stable order. */
export function endpointsOn(state: State, network: string): EndpointRecord[] {
  return state.all<Row>("SELECT * FROM endpoints WHERE network = ? ORDER BY container_id", network).map(fromRow);
}

/** Every live row of this boot. */
export function liveEndpoints(state: State, bootId: string): EndpointRecord[] {
  return state
    .all<Row>("SELECT * FROM endpoints WHERE boot_id = ? ORDER BY network, container_id", bootId)
    .map(fromRow)
    .filter((record) => record.cni.phase !== "reserved");
}

/** Addresses taken on a network, without parsing rows in JavaScript. */
export function takenAddresses(
  state: State,
  network: string,
): { containerId: string; ipv4: string; ipv6: string; live: boolean; containerName: string }[] {
  return state
    .all<{ container_id: string; ipv4: string; ipv6: string; phase: string; name: string }>(
      `SELECT container_id, coalesce(json_extract(endpoint, '$.ipv4'), '') AS ipv4, coalesce(json_extract(endpoint, '$.ipv6'), '') AS ipv6,
       coalesce(json_extract(cni, '$.phase'), '') AS phase, coalesce(json_extract(cni, '$.containerName'), '') AS name
       FROM endpoints WHERE network = ?`,
      network,
    )
    .map((row) => ({
      containerId: row.container_id,
      ipv4: row.ipv4,
      ipv6: row.ipv6,
      live: row.phase !== "reserved",
      containerName: row.name,
    }));
}

/** Live rows of this boot that publish ports. */
export function publishedPorts(
  state: State,
  bootId: string,
): { containerId: string; containerName: string; port: ReservedPort }[] {
  return state
    .all<Row>(
      `SELECT * FROM endpoints WHERE boot_id = ? AND json_array_length(cni, '$.ports') > 0 AND json_extract(cni, '$.phase') <> 'reserved'`,
      bootId,
    )
    .map(fromRow)
    .flatMap((record) =>
      record.cni.ports.map((port) => ({
        containerId: record.containerId,
        containerName: record.cni.containerName,
        port,
      })),
    );
}

/** Adds or replaces an endpoint. */
export function saveEndpoint(state: State, record: EndpointRecord): void {
  state.run(
    "INSERT OR REPLACE INTO endpoints(container_id, network, boot_id, endpoint, cni) VALUES(?, ?, ?, ?, ?)",
    record.containerId,
    record.network,
    record.bootId,
    JSON.stringify(record.endpoint),
    JSON.stringify(record.cni),
  );
}

/** Removes an endpoint; nothing there is no error. */
export function deleteEndpoint(state: State, containerId: string, network: string): void {
  state.run("DELETE FROM endpoints WHERE container_id = ? AND network = ?", containerId, network);
}

/** Drops address reservations of containers that are in the database no more. */
export function dropOrphanReservations(state: State, network: string, bootId: string): void {
  state.run(
    `DELETE FROM endpoints WHERE network = ? AND (boot_id <> ? OR json_extract(cni, '$.phase') = 'reserved')
     AND container_id NOT IN (SELECT id FROM containers)`,
    network,
    bootId,
  );
}

/** Removes every endpoint of a network that goes. */
export function deleteEndpointsOn(state: State, network: string): void {
  state.run("DELETE FROM endpoints WHERE network = ?", network);
}

/** Whether anything was set up in this boot for a container's network, reservations apart. */
export function hasEndpoints(state: State, bootId: string): boolean {
  const sql = "SELECT 1 FROM endpoints WHERE boot_id = ? AND json_extract(cni, '$.phase') <> 'reserved' LIMIT 1";
  return state.get(sql, bootId) !== undefined;
}
