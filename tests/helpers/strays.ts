/** What a host's folders hold that no row of its database has. Reads the database as it is on disk, never through the program. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Ids of running containers by the database, and entries of the host's folders that belong to nobody. */
export interface StoreView {
  readonly running: ReadonlySet<string>;
  readonly strays: readonly string[];
}

/** Nothing when there is no database, or none that can be read. */
export function viewStore(host: string): StoreView {
  const path = join(host, "store/state.db");
  if (!existsSync(path)) return { running: new Set(), strays: [] };
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      return readStore(db, host);
    } finally {
      db.close();
    }
  } catch {
    // tests damage databases on purpose
    return { running: new Set(), strays: [] };
  }
}

/** The strays alone. */
export const storeStrays = (host: string): readonly string[] => viewStore(host).strays;

function readStore(db: DatabaseSync, host: string): StoreView {
  const all = <Row>(sql: string): Row[] => db.prepare(sql).all() as Row[];
  const rows = all<{ id: string; state: string }>("SELECT id, state FROM containers");
  const known = new Set(rows.map((row) => row.id));
  const running = new Set(rows.filter((row) => row.state === "running" || row.state === "paused").map((row) => row.id));
  const volumes = new Set(all<{ name: string }>("SELECT name FROM volumes").map(({ name }) => name));
  const list = (name: string, pattern: RegExp): string[] => {
    const folder = join(host, name);
    return existsSync(folder) ? readdirSync(folder).filter((entry) => pattern.test(entry)) : [];
  };
  const strange = (folder: string, allowed: ReadonlySet<string>, pattern = /^[0-9a-f]{64}$/): string[] =>
    list(folder, pattern)
      .filter((id) => !allowed.has(id))
      .map((id) => `${folder}/${id}`);
  const strays = [
    ...strange("store/containers", known),
    ...strange("store/storage/containers", known),
    ...strange("store/volumes", volumes, /./),
    ...strange("run/exits", known),
    ...strange("run/containers", running),
    ...strange("run/rootfs", running),
    ...strange("run/netns", running),
    // a restart may be due
    ...strange("run/supervise", known),
    ...(running.size === 0 ? strange("run/network/dns", new Set(), /./) : []),
    ...all<{ kind: string; subject: string }>("SELECT kind, subject FROM intents").map(
      ({ kind, subject }) => `intent ${kind} ${subject}`,
    ),
    ...all<{ id: string; network: string }>(
      `SELECT container_id AS id, network FROM endpoints WHERE container_id NOT IN (SELECT id FROM containers)`,
    ).map(({ id, network }) => `address of ${id} on ${network}`),
  ];
  return { running, strays };
}
