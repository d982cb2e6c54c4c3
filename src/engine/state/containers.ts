/** Rows of the containers table. Knows no process, file or network. */
import type { ContainerRecord } from "../runtime/record.js";
import type { StoredSpec } from "../secrets/index.js";
import type { ContainerState } from "../types.js";
import type { SqlValue, State } from "./index.js";

/** One container as the database knows it; whether its process still lives is the kernel's to say. */
export interface ContainerRow {
  readonly id: string;
  readonly name: string;
  readonly spec: StoredSpec;
  readonly imageId: string;
  readonly imageName: string;
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  /** Boot in which it was last started (or made). */
  readonly bootId: string;
  /** Counts starts; a transition names the one it speaks of, so that a late observer changes nothing. */
  readonly incarnation: number;
  readonly pid: number;
  readonly pidStart: string;
  readonly conmonPid: number;
  readonly conmonStart: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly createdAt: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  readonly stoppedByUser: boolean;
}

/** Who removes a container that has ended: the build whose step it is, or the command that made it. Only the engine says so, no label. */
export interface ContainerOwner {
  readonly kind: "build" | "command";
  /** The process's name for what is its own (see owned-names.ts). */
  readonly name: string;
}

interface RawRow {
  id: string;
  name: string;
  spec: string;
  image_id: string;
  image_name: string;
  record: string;
  state: string;
  boot_id: string;
  incarnation: number;
  pid: number;
  pid_start: string;
  conmon_pid: number;
  conmon_start: string;
  exit_code: number;
  oom_killed: number;
  error: string;
  created_at: string;
  started_at: string;
  finished_at: string;
  restart_count: number;
  stopped_by_user: number;
}

function fromRaw(raw: RawRow): ContainerRow {
  return {
    id: raw.id,
    name: raw.name,
    // a rename changes the row alone
    spec: { ...(JSON.parse(raw.spec) as StoredSpec), name: raw.name },
    imageId: raw.image_id,
    imageName: raw.image_name,
    record: JSON.parse(raw.record) as ContainerRecord,
    state: raw.state as ContainerState,
    bootId: raw.boot_id,
    incarnation: raw.incarnation,
    pid: raw.pid,
    pidStart: raw.pid_start,
    conmonPid: raw.conmon_pid,
    conmonStart: raw.conmon_start,
    exitCode: raw.exit_code,
    oomKilled: raw.oom_killed !== 0,
    error: raw.error,
    createdAt: raw.created_at,
    startedAt: raw.started_at,
    finishedAt: raw.finished_at,
    restartCount: raw.restart_count,
    stoppedByUser: raw.stopped_by_user !== 0,
  };
}

/** Adds a container in state `created`; false when the name is taken. Labels go to their own table. */
export function insertContainer(
  state: State,
  row: Pick<ContainerRow, "id" | "name" | "spec" | "imageId" | "imageName" | "record" | "bootId" | "createdAt"> & {
    readonly labels: Readonly<Record<string, string>>;
    readonly owner?: ContainerOwner;
  },
): boolean {
  const added = state.run(
    `INSERT OR IGNORE INTO containers(id, name, spec, image_id, image_name, record, state, boot_id, created_at,
     owner_kind, owner) VALUES (?, ?, ?, ?, ?, ?, 'created', ?, ?, ?, ?)`,
    row.id,
    row.name,
    JSON.stringify(row.spec),
    row.imageId,
    row.imageName,
    JSON.stringify(row.record),
    row.bootId,
    row.createdAt,
    row.owner?.kind ?? "",
    row.owner?.name ?? "",
  );
  if (added === 0) return false;
  for (const [key, value] of Object.entries(row.labels)) {
    state.run("INSERT INTO container_labels(container_id, key, value) VALUES (?, ?, ?)", row.id, key, value);
  }
  return true;
}

/** By full id. */
export function containerById(state: State, id: string): ContainerRow | undefined {
  const raw = state.get<RawRow>("SELECT * FROM containers WHERE id = ?", id);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** By exact name. */
export function containerByName(state: State, name: string): ContainerRow | undefined {
  const raw = state.get<RawRow>("SELECT * FROM containers WHERE name = ?", name);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** Up to two containers whose id begins with `prefix` (two are enough to know it is ambiguous). */
export function containersByPrefix(state: State, prefix: string): ContainerRow[] {
  if (!/^[0-9a-f]+$/.test(prefix)) return [];
  return state
    .all<RawRow>("SELECT * FROM containers WHERE id >= ? AND id < ? LIMIT 2", prefix, `${prefix}g`)
    .map(fromRaw);
}

/** All containers carrying every label (an undefined value asks for presence), oldest first. */
export function listContainers(
  state: State,
  labels: Readonly<Record<string, string | undefined>> = {},
): ContainerRow[] {
  let sql = "SELECT * FROM containers c WHERE 1";
  const values: SqlValue[] = [];
  for (const [key, value] of Object.entries(labels)) {
    sql += " AND EXISTS (SELECT 1 FROM container_labels l WHERE l.container_id = c.id AND l.key = ?";
    values.push(key);
    if (value !== undefined) {
      sql += " AND l.value = ?";
      values.push(value);
    }
    sql += ")";
  }
  return state.all<RawRow>(`${sql} ORDER BY created_at, id`, ...values).map(fromRaw);
}

/** Running containers whose spec links to the container of that name. */
export function linkingContainers(state: State, name: string): ContainerRow[] {
  return state
    .all<RawRow>(
      `SELECT * FROM containers c WHERE state IN ('running', 'paused') AND json_extract(spec, '$.links') IS NOT NULL
       AND EXISTS (SELECT 1 FROM json_each(c.spec, '$.links') l WHERE json_extract(l.value, '$.container') = ?)`,
      name,
    )
    .map(fromRaw);
}

/** SELinux labels of the containers that have one. */
export function mountLabels(state: State): string[] {
  return state
    .all<{ label: string }>(
      "SELECT json_extract(record, '$.selinux.mount') AS label FROM containers WHERE json_extract(record, '$.selinux.mount') IS NOT NULL",
    )
    .map(({ label }) => label);
}

/** Containers that somebody is to remove. */
export function ownedContainers(state: State): { id: string; state: string; owner: ContainerOwner }[] {
  return state
    .all<{ id: string; state: string; kind: ContainerOwner["kind"]; name: string }>(
      "SELECT id, state, owner_kind AS kind, owner AS name FROM containers WHERE owner_kind <> ''",
    )
    .map(({ id, state: now, kind, name }) => ({ id, state: now, owner: { kind, name } }));
}

/** What `repair` needs of every container that the database believes to have a process. */
export interface LiveRow {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  readonly pid: number;
  readonly pidStart: string;
  readonly conmonPid: number;
  readonly conmonStart: string;
  readonly bootId: string;
  readonly incarnation: number;
}

/** Containers in state running or paused, without parsing their specs. */
export function liveContainers(state: State): LiveRow[] {
  return state.all<LiveRow>(
    `SELECT id, name, state, pid, pid_start AS pidStart, conmon_pid AS conmonPid, conmon_start AS conmonStart,
     boot_id AS bootId, incarnation FROM containers
     WHERE state IN ('running', 'paused')`,
  );
}

/** Numbers per state, for `info`. */
export function countContainers(state: State): { all: number; running: number; paused: number } {
  const row = state.get<{ total: number; running: number | null; paused: number | null }>(
    "SELECT COUNT(*) AS total, SUM(state IN ('running', 'paused')) AS running, SUM(state = 'paused') AS paused FROM containers",
  );
  return { all: row?.total ?? 0, running: row?.running ?? 0, paused: row?.paused ?? 0 };
}

/** Removes the row; labels and volume uses go with it. */
export function deleteContainer(state: State, id: string): void {
  state.run("DELETE FROM containers WHERE id = ?", id);
  state.forgetOnClose();
}

/** Gives another name; false when that is taken. */
export function renameContainer(state: State, id: string, name: string): boolean {
  return state.run("UPDATE OR IGNORE containers SET name = ? WHERE id = ?", name, id) === 1;
}

/** Replaces the stored spec (live update, network connect). */
export function saveSpec(state: State, id: string, spec: StoredSpec): void {
  state.run("UPDATE containers SET spec = ? WHERE id = ?", JSON.stringify(spec), id);
}

/** Replaces the stored record. */
export function saveRecord(state: State, id: string, record: ContainerRecord): void {
  state.run("UPDATE containers SET record = ? WHERE id = ?", JSON.stringify(record), id);
}
