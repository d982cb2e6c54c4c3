/** Rows of the `networks` table and the markers of networks that are set up in this boot. No decisions. */
import type { NetworkSpec, NetworkSubnet } from "../types.js";
import type { State } from "./index.js";
import { forgetMeta, metaOf, setMeta } from "./meta.js";

/** What was decided when the network was made. */
export interface NetworkSettings {
  readonly driver: string;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly NetworkSubnet[];
  /** Host interface; empty with drivers that own none. */
  readonly bridge: string;
  readonly dns: boolean;
  /** Who wrote the conflist: we, or a person under /etc/cni/net.d. */
  readonly source: "generated" | "user";
}

/** A network as it is kept. */
export interface NetworkRecord {
  readonly name: string;
  readonly id: string;
  readonly spec: NetworkSpec;
  readonly settings: NetworkSettings;
  /** CNI network configuration list as text. */
  readonly conflist: string;
  readonly createdAt: string;
}

interface Row {
  name: string;
  id: string;
  spec: string;
  info: string;
  conflist: string;
  created_at: string;
}

function fromRow(row: Row): NetworkRecord {
  return {
    name: row.name,
    id: row.id,
    spec: JSON.parse(row.spec) as NetworkSpec,
    settings: JSON.parse(row.info) as NetworkSettings,
    conflist: row.conflist,
    createdAt: row.created_at,
  };
}

/** By name, else by full id or unique id prefix of at least 4 digits. */
export function findNetwork(state: State, nameOrId: string): NetworkRecord | undefined {
  const row = state.get<Row>("SELECT * FROM networks WHERE name = ?", nameOrId);
  if (row !== undefined) return fromRow(row);
  if (!/^[0-9a-f]{4,64}$/.test(nameOrId)) return undefined;
  const rows = state.all<Row>("SELECT * FROM networks WHERE substr(id, 1, length(?)) = ? LIMIT 2", nameOrId, nameOrId);
  const only = rows[0];
  return only !== undefined && rows.length === 1 ? fromRow(only) : undefined;
}

/** Every network, by name. */
export function listNetworks(state: State): NetworkRecord[] {
  return state.all<Row>("SELECT * FROM networks ORDER BY name").map(fromRow);
}

/** False when the name exists already. */
export function insertNetwork(state: State, record: NetworkRecord): boolean {
  return (
    state.run(
      "INSERT OR IGNORE INTO networks(name, id, spec, info, conflist, created_at) VALUES(?, ?, ?, ?, ?, ?)",
      record.name,
      record.id,
      JSON.stringify(record.spec),
      JSON.stringify(record.settings),
      record.conflist,
      record.createdAt,
    ) === 1
  );
}

/** Removes a network's row; false when there was none. */
export function deleteNetwork(state: State, name: string): boolean {
  return state.run("DELETE FROM networks WHERE name = ?", name) > 0;
}

const UP = "network.up/";

/**
 * How far a network is set up: `raising` = somebody began to make its bridge, `standing` = it is there, `up` = its rules too,
 * `lowering` = somebody began to take it down and whatever is left must still go.
 */
export type NetworkProgress = "down" | "raising" | "standing" | "up" | "lowering";

/** Progress in an epoch, which names one boot and one network namespace: a marker from before a reboot says nothing. */
export function networkProgress(state: State, name: string, epoch: string): NetworkProgress {
  const value = metaOf(state, UP + name);
  return (
    (["up", "standing", "raising", "lowering"] as const).find((progress) => value === mark(epoch, progress)) ?? "down"
  );
}

/** The network's bridge is there in this epoch and nobody is taking it down. */
export function isNetworkStanding(state: State, name: string, epoch: string): boolean {
  const progress = networkProgress(state, name, epoch);
  return progress === "standing" || progress === "up";
}

const mark = (epoch: string, progress: Exclude<NetworkProgress, "down">): string => `${epoch} ${progress}`;

/** Notes how far a network is up, in the epoch given. */
export function setNetworkProgress(
  state: State,
  name: string,
  epoch: string,
  progress: Exclude<NetworkProgress, "down">,
): void {
  setMeta(state, UP + name, mark(epoch, progress));
}

/** Forgets it: the network is down. */
export function clearNetworkProgress(state: State, name: string): void {
  forgetMeta(state, UP + name);
}

/** Names of networks whose bridge is there in `epoch`. */
export function networksStanding(state: State, epoch: string): string[] {
  return state
    .all<{ key: string }>(
      "SELECT key FROM meta WHERE substr(key, 1, 11) = ? AND value IN (?, ?)",
      UP,
      mark(epoch, "up"),
      mark(epoch, "standing"),
    )
    .map((row) => row.key.slice(UP.length));
}

const CURSOR = "network.cursor/";

/** Where the next address search begins, per subnet: addresses are reused as late as possible (names are cached for a day). */
export function addressCursor(state: State, network: string, subnet: string): string | undefined {
  return metaOf(state, `${CURSOR}${network}/${subnet}`);
}

/** Notes the address that was given last in a subnet. */
export function setAddressCursor(state: State, network: string, subnet: string, address: string): void {
  setMeta(state, `${CURSOR}${network}/${subnet}`, address);
}

const FORWARDING = "network.forwarding/";

/** Notes that the host forwarded no packets of this family when the first network came up in `epoch`. */
export function noteForwardingOff(state: State, family: 4 | 6, epoch: string): void {
  setMeta(state, FORWARDING + family, epoch);
}

/** Whether it is noted that the host forwarded none of that family when the first network came up in `epoch`. */
export function isForwardingNoted(state: State, family: 4 | 6, epoch: string): boolean {
  return metaOf(state, FORWARDING + family) === epoch;
}

/** Takes that note away. */
export function forgetForwarding(state: State, family: 4 | 6): void {
  forgetMeta(state, FORWARDING + family);
}

/** Forgets markers and cursors of a removed network. */
export function forgetNetworkMeta(state: State, name: string): void {
  const cursor = `${CURSOR}${name}/`;
  state.run("DELETE FROM meta WHERE key = ? OR substr(key, 1, length(?)) = ?", UP + name, cursor, cursor);
}
