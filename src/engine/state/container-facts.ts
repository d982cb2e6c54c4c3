/** Single facts of containers, for whoever needs no whole row. */
import type { State } from "./index.js";

/** True when the container has a row of its own. */
export function containerExists(state: State, id: string): boolean {
  return state.get("SELECT 1 FROM containers WHERE id = ?", id) !== undefined;
}

/** Name and spec as stored; undefined for a container that is gone. */
export function containerIdentity<Spec>(state: State, id: string): { name: string; spec: Spec } | undefined {
  const row = state.get<{ name: string; spec: string }>("SELECT name, spec FROM containers WHERE id = ?", id);
  return row === undefined ? undefined : { name: row.name, spec: JSON.parse(row.spec) as Spec };
}

/** A container's labels; none when it is gone. */
export function containerLabels(state: State, id: string): Record<string, string> {
  const sql = "SELECT key, value FROM container_labels WHERE container_id = ?";
  const rows = state.all<{ key: string; value: string }>(sql, id);
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

/** Whether some container is in the network namespace of the one with this id or name. */
export function isNetworkShared(state: State, id: string, name: string): boolean {
  const sql = `SELECT 1 FROM containers WHERE json_extract(spec, '$.networkMode.kind') = 'container'
    AND json_extract(spec, '$.networkMode.container') IN (?, ?) LIMIT 1`;
  return state.get(sql, id, name) !== undefined;
}
