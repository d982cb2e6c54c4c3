/** Rows of `volumes` and `volume_uses`. Facts only; folders and mounts are the volumes part's. */
import type { VolumeInfo } from "../types.js";
import type { State } from "./index.js";

/** A volume as it is kept. */
export interface VolumeRecord {
  readonly info: VolumeInfo;
  /** The image's content was copied in, or never will be. */
  readonly populated: boolean;
}

interface VolumeRow {
  readonly info: string;
  readonly populated: number;
}

const toRecord = (row: VolumeRow): VolumeRecord => ({
  info: JSON.parse(row.info) as VolumeInfo,
  populated: row.populated !== 0,
});

/** The volume of that name, or undefined. */
export function getVolume(state: State, name: string): VolumeRecord | undefined {
  const row = state.get<VolumeRow>("SELECT info, populated FROM volumes WHERE name = ?", name);
  return row === undefined ? undefined : toRecord(row);
}

/** Every volume, by name. */
export function listVolumes(state: State): VolumeRecord[] {
  return state.all<VolumeRow>("SELECT info, populated FROM volumes ORDER BY name").map(toRecord);
}

/** Names of every volume, without parsing their rows. */
export function volumeNames(state: State): string[] {
  return state.all<{ name: string }>("SELECT name FROM volumes").map(({ name }) => name);
}

/** Adds a volume; throws SQLite's constraint error when the name is taken. */
export function insertVolume(state: State, info: VolumeInfo): void {
  state.run(
    "INSERT INTO volumes(name, info, anonymous, created_at) VALUES(?,?,?,?)",
    info.name,
    JSON.stringify(info),
    info.anonymous ? 1 : 0,
    info.createdAt,
  );
}

/** Forgets a volume and who used it. */
export function deleteVolume(state: State, name: string): void {
  state.run("DELETE FROM volume_uses WHERE volume = ?", name);
  state.run("DELETE FROM volumes WHERE name = ?", name);
}

/** Notes that no content is to be copied into the volume any more; false when that was noted before. */
export function markVolumePopulated(state: State, name: string): boolean {
  return state.run("UPDATE volumes SET populated = 1 WHERE name = ? AND populated = 0", name) === 1;
}

/** Notes that a container uses a volume, until the container's row is deleted. Twice is no error. */
export function addVolumeUse(state: State, volume: string, containerId: string): void {
  state.run("INSERT OR IGNORE INTO volume_uses(volume, container_id) VALUES(?,?)", volume, containerId);
}

/** Containers (running or not) that use a volume. */
export function volumeUsers(state: State, volume: string): { id: string; name: string; state: string }[] {
  return state.all(
    "SELECT c.id AS id, c.name AS name, c.state AS state FROM volume_uses u JOIN containers c ON c.id = u.container_id WHERE u.volume = ? ORDER BY c.name",
    volume,
  );
}

/** Volumes a container uses. */
export function volumesOfContainer(state: State, containerId: string): VolumeRecord[] {
  return state
    .all<VolumeRow>(
      "SELECT v.info AS info, v.populated AS populated FROM volume_uses u JOIN volumes v ON v.name = u.volume WHERE u.container_id = ? ORDER BY v.name",
      containerId,
    )
    .map(toRecord);
}
