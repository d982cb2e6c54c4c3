/** The tables, and how a database of an earlier version becomes one of this. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { containerLabels } from "../labels.js";
import { keepParts, splitSpec } from "../secrets/index.js";
import type { ContainerSpec } from "../types.js";
import { primaryCode, SQLITE_FULL } from "./sqlite-errors.js";

/** Version 3: no environment and no content in rows, owners of containers in columns. */
export const SCHEMA_VERSION = 3;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS images(
  id TEXT PRIMARY KEY, manifest_digest TEXT NOT NULL, created_at TEXT NOT NULL, info TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS image_names(
  name TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
  kind TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS image_names_id ON image_names(image_id);
CREATE TABLE IF NOT EXISTS layers(
  chain_id TEXT PRIMARY KEY, parent TEXT NOT NULL, diff_id TEXT NOT NULL, short_id TEXT NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL, blob_digest TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE IF NOT EXISTS containers(
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, image_id TEXT NOT NULL, image_name TEXT NOT NULL,
  record TEXT NOT NULL DEFAULT '{}', state TEXT NOT NULL, boot_id TEXT NOT NULL, incarnation INTEGER NOT NULL DEFAULT 0,
  pid INTEGER NOT NULL DEFAULT 0, pid_start TEXT NOT NULL DEFAULT '',
  conmon_pid INTEGER NOT NULL DEFAULT 0, conmon_start TEXT NOT NULL DEFAULT '',
  exit_code INTEGER NOT NULL DEFAULT 0, oom_killed INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, started_at TEXT NOT NULL DEFAULT '', finished_at TEXT NOT NULL DEFAULT '',
  restart_count INTEGER NOT NULL DEFAULT 0, stopped_by_user INTEGER NOT NULL DEFAULT 0,
  health TEXT NOT NULL DEFAULT '{}',
  owner_kind TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE IF NOT EXISTS container_labels(
  container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(container_id, key)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS container_labels_kv ON container_labels(key, value);
CREATE TABLE IF NOT EXISTS networks(
  name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, info TEXT NOT NULL, conflist TEXT NOT NULL,
  created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS endpoints(
  container_id TEXT NOT NULL, network TEXT NOT NULL, boot_id TEXT NOT NULL, endpoint TEXT NOT NULL,
  cni TEXT NOT NULL DEFAULT '{}', PRIMARY KEY(container_id, network)) STRICT;
CREATE TABLE IF NOT EXISTS volumes(
  name TEXT PRIMARY KEY, info TEXT NOT NULL, anonymous INTEGER NOT NULL, created_at TEXT NOT NULL,
  populated INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS volume_uses(
  volume TEXT NOT NULL, container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
  PRIMARY KEY(volume, container_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intents(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, boot_id TEXT NOT NULL,
  owner_pid INTEGER NOT NULL, owner_start TEXT NOT NULL, created_at TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE IF NOT EXISTS events(
  id INTEGER PRIMARY KEY AUTOINCREMENT, time_nano TEXT NOT NULL, type TEXT NOT NULL, action TEXT NOT NULL,
  subject_id TEXT NOT NULL, name TEXT NOT NULL, attributes TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE IF NOT EXISTS build_steps(
  key TEXT PRIMARY KEY, record TEXT NOT NULL, used_at TEXT NOT NULL) STRICT;
`;

/**
 * Brings the schema of version `from` (0: a new file) to this one; nothing is lost when it is interrupted. What earlier versions kept in
 * rows moves into files below `containers/` beside the database, and the file is written anew: their bytes are in none of its pages.
 */
export function upgrade(db: DatabaseSync, path: string, from: number): void {
  db.exec("PRAGMA journal_mode = WAL");
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec(SCHEMA);
    if (from > 0) moveOut(db, join(dirname(path), "containers"));
    // Before that it has to be cleaned too, which no transaction can hold.
    else db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
  if (from === 0) return;
  try {
    db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    // A full disk must be emptiable by `down`: the next command tries again.
    if (primaryCode(error) === SQLITE_FULL) return;
    throw error;
  }
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

interface OldRow {
  readonly id: string;
  readonly spec: string;
  readonly record: string;
}

/** The labels by which version 2 knew owners. */
const OLD_OWNERS = { "com.tscompose.build": "build", "com.tscompose.remover": "command" } as const;

function moveOut(db: DatabaseSync, containers: string): void {
  const columns = db.prepare("SELECT name FROM pragma_table_info('containers')").all() as { name: string }[];
  if (!columns.some(({ name }) => name === "owner_kind")) {
    db.exec(`ALTER TABLE containers ADD COLUMN owner_kind TEXT NOT NULL DEFAULT '';
             ALTER TABLE containers ADD COLUMN owner TEXT NOT NULL DEFAULT ''`);
  }
  const rows = db.prepare("SELECT id, spec, record FROM containers").all() as unknown as OldRow[];
  for (const row of rows) {
    const spec = JSON.parse(row.spec) as ContainerSpec;
    const { image } = JSON.parse(row.record) as { image?: { labels: Record<string, string> } };
    moveOwner(db, row.id, image?.labels ?? {});
    const labels = containerLabels(image?.labels, spec.labels);
    db.prepare("DELETE FROM container_labels WHERE container_id = ?").run(row.id);
    for (const [key, value] of Object.entries(labels)) {
      db.prepare("INSERT INTO container_labels(container_id, key, value) VALUES (?, ?, ?)").run(row.id, key, value);
    }
    if (spec.env === undefined && spec.files === undefined) continue;
    if (spec.files?.some(({ held }) => held !== undefined) === true) continue;
    const { stored, kept } = splitSpec(row.id, spec, () => "");
    mkdirSync(join(containers, row.id), { recursive: true, mode: 0o700 });
    keepParts(join(containers, row.id), kept);
    db.prepare("UPDATE containers SET spec = ? WHERE id = ?").run(JSON.stringify(stored), row.id);
  }
}

/** An owner's label that the image carries too may be the image's word. */
function moveOwner(db: DatabaseSync, id: string, image: Readonly<Record<string, string>>): void {
  for (const [label, kind] of Object.entries(OLD_OWNERS)) {
    const found = db.prepare("SELECT value FROM container_labels WHERE container_id = ? AND key = ?").get(id, label);
    if (found === undefined || image[label] !== undefined) continue;
    db.prepare("UPDATE containers SET owner_kind = ?, owner = ? WHERE id = ?").run(kind, String(found.value), id);
  }
}
