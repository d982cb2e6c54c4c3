/** Typed access to the layer table. A row exists exactly when its folder is complete and verified. */
import type { State } from "./index.js";

/** One unpacked layer. */
export interface LayerRow {
  readonly chainId: string;
  /** Chain id of the layer below; "" for a base layer. */
  readonly parent: string;
  readonly diffId: string;
  /** Folder name under storage/layers. */
  readonly shortId: string;
  /** Bytes of the unpacked files. */
  readonly sizeBytes: number;
  /** Digest of the layer tar as kept among the blobs; "" when it was made here and never packed. */
  readonly blobDigest: string;
}

interface RawLayer {
  chain_id: string;
  parent: string;
  diff_id: string;
  short_id: string;
  size_bytes: number;
  blob_digest: string;
}

const COLUMNS = "chain_id, parent, diff_id, short_id, size_bytes, blob_digest";

function fromRaw(raw: RawLayer): LayerRow {
  return {
    chainId: raw.chain_id,
    parent: raw.parent,
    diffId: raw.diff_id,
    shortId: raw.short_id,
    sizeBytes: raw.size_bytes,
    blobDigest: raw.blob_digest,
  };
}

/** The layer with that chain id. */
export function layerById(state: State, chainId: string): LayerRow | undefined {
  const raw = state.get<RawLayer>(`SELECT ${COLUMNS} FROM layers WHERE chain_id = ?`, chainId);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** The layer whose folder has that name. */
export function layerByShortId(state: State, shortId: string): LayerRow | undefined {
  const raw = state.get<RawLayer>(`SELECT ${COLUMNS} FROM layers WHERE short_id = ?`, shortId);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** The stack under and including a layer, top first; shorter than the real one when a layer is missing. */
export function layerStack(state: State, chainId: string): LayerRow[] {
  return state
    .all<RawLayer>(
      "WITH RECURSIVE stack(id, depth) AS (SELECT ?, 0 UNION ALL SELECT l.parent, depth + 1 FROM stack s JOIN layers l ON l.chain_id = s.id WHERE l.parent <> '' AND depth < 1000) SELECT l.chain_id, l.parent, l.diff_id, l.short_id, l.size_bytes, l.blob_digest FROM stack s JOIN layers l ON l.chain_id = s.id ORDER BY s.depth",
      chainId,
    )
    .map(fromRaw);
}

/** Every layer. */
export function allLayers(state: State): LayerRow[] {
  return state.all<RawLayer>(`SELECT ${COLUMNS} FROM layers`).map(fromRaw);
}

/** Records a finished layer; an existing row is kept. */
export function insertLayer(state: State, row: LayerRow): void {
  state.run(
    "INSERT INTO layers(chain_id, parent, diff_id, short_id, size_bytes, blob_digest) VALUES(?,?,?,?,?,?) ON CONFLICT(chain_id) DO NOTHING",
    row.chainId,
    row.parent,
    row.diffId,
    row.shortId,
    row.sizeBytes,
    row.blobDigest,
  );
}

/** Notes under which digest a packed form of the layer is kept. */
export function setLayerBlob(state: State, chainId: string, blobDigest: string): void {
  state.run("UPDATE layers SET blob_digest = ? WHERE chain_id = ?", blobDigest, chainId);
}

/** Forgets a layer. */
export function deleteLayer(state: State, chainId: string): void {
  state.run("DELETE FROM layers WHERE chain_id = ?", chainId);
}

/** Whether a layer stands on this one. */
export function hasChildLayer(state: State, chainId: string): boolean {
  return state.get("SELECT 1 FROM layers WHERE parent = ? LIMIT 1", chainId) !== undefined;
}

/** Whether any layer is stored. */
export function hasLayers(state: State): boolean {
  return state.get("SELECT 1 FROM layers LIMIT 1") !== undefined;
}
