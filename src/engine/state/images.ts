/** Typed access to the image tables. Rows only: no files, no rules about what may be removed. */
import type { ImageInfo } from "../types.js";
import type { State } from "./index.js";

/** The part of an image that never changes; names stand in their own table. */
export type ImageRecord = Omit<ImageInfo, "tags" | "repoDigests">;

/** One image as stored. `manifestDigest` is empty for an image built here that was never given a manifest. */
export interface ImageRow {
  readonly id: string;
  readonly manifestDigest: string;
  readonly record: ImageRecord;
}

interface RawImage {
  id: string;
  manifest_digest: string;
  info: string;
}

function fromRaw(raw: RawImage): ImageRow {
  return { id: raw.id, manifestDigest: raw.manifest_digest, record: JSON.parse(raw.info) as ImageRecord };
}

/** Inserts the image, or updates its manifest when it is there already. True when it is new. */
export function putImage(state: State, row: ImageRow): boolean {
  const isNew = state.get("SELECT 1 FROM images WHERE id = ?", row.id) === undefined;
  state.run(
    "INSERT INTO images(id, manifest_digest, created_at, info) VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET manifest_digest = CASE WHEN excluded.manifest_digest = '' THEN manifest_digest ELSE excluded.manifest_digest END",
    row.id,
    row.manifestDigest,
    new Date().toISOString(),
    JSON.stringify(row.record),
  );
  return isNew;
}

/** The image with that `sha256:…` id. */
export function imageById(state: State, id: string): ImageRow | undefined {
  const raw = state.get<RawImage>("SELECT id, manifest_digest, info FROM images WHERE id = ?", id);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** The image whose platform manifest has that digest. */
export function imageByManifest(state: State, digest: string): ImageRow | undefined {
  const raw = state.get<RawImage>("SELECT id, manifest_digest, info FROM images WHERE manifest_digest = ?", digest);
  return raw === undefined ? undefined : fromRaw(raw);
}

/** At most two images whose id starts with `sha256:PREFIX` (hex digits); two mean the prefix is ambiguous. */
export function imagesByPrefix(state: State, hexPrefix: string): ImageRow[] {
  return state
    .all<RawImage>(
      "SELECT id, manifest_digest, info FROM images WHERE id >= ? AND id < ? LIMIT 2",
      `sha256:${hexPrefix}`,
      `sha256:${hexPrefix}g`,
    )
    .map(fromRaw);
}

/**
 * The image a full name (`docker.io/library/redis:7` or `…@sha256:…`) points at; one that stands beside it for another platform when
 * nobody else has the name.
 */
export function imageByName(state: State, name: string): ImageRow | undefined {
  const raw = state.get<RawImage>(
    "SELECT i.id, i.manifest_digest, i.info FROM image_names n JOIN images i ON i.id = n.image_id WHERE n.name = ? OR (n.name > ? AND n.name < ?) ORDER BY n.name LIMIT 1",
    name,
    `${name} `,
    `${name}!`,
  );
  return raw === undefined ? undefined : fromRaw(raw);
}

/** Every image, newest stored first. */
export function allImages(state: State): ImageRow[] {
  return state.all<RawImage>("SELECT id, manifest_digest, info FROM images ORDER BY created_at DESC, id").map(fromRaw);
}

/** `tag` and `digest` are names as they are; a `beside` name has a platform behind a blank, for an image that shares a tag with another. */
export type NameKind = "tag" | "digest" | "beside";

/** The name that an image for a platform has beside the one with the plain name. */
export function besideName(name: string, platform: string): string {
  return `${name} ${platform}`;
}

/** Points a name at an image, taking it from whoever had it; the id of the previous owner. */
export function setImageName(state: State, name: string, imageId: string, kind: NameKind): string | undefined {
  const before = state.get<{ image_id: string }>("SELECT image_id FROM image_names WHERE name = ?", name);
  // The time is kept fresh for an unchanged image as well: refresh pull policies count from the last pull.
  state.run(
    "INSERT INTO image_names(name, image_id, kind, updated_at) VALUES(?,?,?,?) ON CONFLICT(name) DO UPDATE SET image_id = excluded.image_id, kind = excluded.kind, updated_at = excluded.updated_at",
    name,
    imageId,
    kind,
    new Date().toISOString(),
  );
  return before?.image_id;
}

/** Gives what stands beside one name (beside none when undefined) a place beside another in the same way; what stood there goes. */
export function copyBesideNames(state: State, from: string | undefined, to: string): void {
  const rows =
    from === undefined
      ? []
      : state.all<{ name: string; image_id: string }>(
          "SELECT name, image_id FROM image_names WHERE name > ? AND name < ?",
          `${from} `,
          `${from}!`,
        );
  state.run("DELETE FROM image_names WHERE name > ? AND name < ?", `${to} `, `${to}!`);
  for (const { name, image_id } of rows)
    setImageName(state, `${to}${name.slice(name.indexOf(" "))}`, image_id, "beside");
}

/** Takes a name from an image, also one that it has beside another; false when it did not have it. */
export function dropImageName(state: State, name: string, imageId: string): boolean {
  return (
    state.run(
      "DELETE FROM image_names WHERE image_id = ? AND (name = ? OR (name > ? AND name < ?))",
      imageId,
      name,
      `${name} `,
      `${name}!`,
    ) > 0
  );
}

function addName(names: { tags: string[]; digests: string[] }, { name, kind }: { name: string; kind: string }): void {
  const plain = name.replace(/ .*/, "");
  const list = plain.includes("@") || kind === "digest" ? names.digests : names.tags;
  if (!list.includes(plain)) list.push(plain);
}

/** Names of one image, sorted, those without a platform behind them. */
export function namesOf(state: State, imageId: string): { tags: string[]; digests: string[] } {
  const names = { tags: [], digests: [] };
  const rows = state.all<{ name: string; kind: string }>(
    "SELECT name, kind FROM image_names WHERE image_id = ? ORDER BY name",
    imageId,
  );
  for (const row of rows) addName(names, row);
  return names;
}

/** Names of all images: image id → names. */
export function allNames(state: State): Map<string, { tags: string[]; digests: string[] }> {
  const result = new Map<string, { tags: string[]; digests: string[] }>();
  const rows = state.all<{ name: string; image_id: string; kind: string }>(
    "SELECT name, image_id, kind FROM image_names ORDER BY name",
  );
  for (const row of rows) {
    const names = result.get(row.image_id) ?? { tags: [], digests: [] };
    addName(names, row);
    result.set(row.image_id, names);
  }
  return result;
}

/** Removes the image row and, by cascade, its names. */
export function deleteImage(state: State, id: string): void {
  state.run("DELETE FROM images WHERE id = ?", id);
}

/** Containers made from an image. */
export function containersOfImage(
  state: State,
  imageId: string,
): { id: string; name: string; imageName: string; state: string }[] {
  return state
    .all<{ id: string; name: string; image_name: string; state: string }>(
      "SELECT id, name, image_name, state FROM containers WHERE image_id = ? ORDER BY name",
      imageId,
    )
    .map((row) => ({ id: row.id, name: row.name, imageName: row.image_name, state: row.state }));
}

/** When a tag was last put on the image here (ISO 8601), or undefined when it has none. */
export function lastTaggedAt(state: State, imageId: string): string | undefined {
  const row = state.get<{ at: string | null }>(
    "SELECT MAX(updated_at) AS at FROM image_names WHERE image_id = ? AND kind <> 'digest'",
    imageId,
  );
  return row?.at ?? undefined;
}

/** How many images are stored. */
export function countImages(state: State): number {
  return state.get<{ n: number }>("SELECT COUNT(*) AS n FROM images")?.n ?? 0;
}
