/** Image rows seen through the public types, and the lookup rules for what a person may call an image. No files. */

import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { printable } from "../../lib/printable.js";
import {
  allImages,
  allNames,
  besideName,
  type ImageRow,
  imageById,
  imageByManifest,
  imageByName,
  imagesByPrefix,
  lastTaggedAt,
  namesOf,
} from "../state/images.js";
import type { State } from "../state/index.js";
import type { ImageInfo } from "../types.js";
import { formatPlatform, parsePlatform, platformMatches } from "./platform.js";
import { fullName, parseReference, repositoryName } from "./reference.js";

/** The public form of a row. */
export function infoOf(state: State, row: ImageRow): ImageInfo {
  const names = namesOf(state, row.id);
  const tagged = lastTaggedAt(state, row.id);
  return {
    ...row.record,
    tags: names.tags,
    repoDigests: names.digests,
    ...given({ lastTaggedAt: tagged }),
  };
}

/** Every image, newest stored first. */
export function listImages(state: State): ImageInfo[] {
  const names = allNames(state);
  return allImages(state).map((row) => {
    const own = names.get(row.id);
    return { ...row.record, tags: own?.tags ?? [], repoDigests: own?.digests ?? [] };
  });
}

/**
 * The row for an id, a unique id prefix, name[:tag] or name@digest. A name wins over an id prefix, as with docker. With a platform, the
 * image for it when several share the name; the one that has the name when none is for it.
 * `TSC_IMAGE_AMBIGUOUS` for a prefix of several ids, `TSC_IMAGE_REFERENCE_INVALID` for nonsense.
 */
export function findImage(state: State, text: string, platform?: string): ImageRow | undefined {
  const found = findAny(state, text);
  if (found === undefined || platform === undefined || platformMatches(parsePlatform(platform), found.record))
    return found;
  const name = text.startsWith("sha256:") ? undefined : fullName(parseReference(text));
  const beside =
    name === undefined ? undefined : imageByName(state, besideName(name, formatPlatform(parsePlatform(platform))));
  return beside ?? found;
}

function findAny(state: State, text: string): ImageRow | undefined {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return imageById(state, text);
  const isHex = /^[0-9a-f]{1,64}$/.test(text);
  if (text.length === 64 && isHex) return imageById(state, `sha256:${text}`);
  const prefix = /^sha256:([0-9a-f]{1,64})$/.exec(text)?.[1] ?? (isHex ? text : undefined);
  if (!text.startsWith("sha256:")) {
    const reference = parseReference(text);
    const named = imageByName(state, fullName(reference));
    if (named !== undefined) return named;
    if (reference.digest !== undefined) {
      // pulled through a manifest list, asked for by the platform's own manifest
      const row = imageByManifest(state, reference.digest) ?? imageById(state, reference.digest);
      const repository = `${repositoryName(reference)}@`;
      const isKnownThere =
        row !== undefined && namesOf(state, row.id).digests.some((name) => name.startsWith(repository));
      return isKnownThere ? row : undefined;
    }
  }
  if (prefix === undefined) return undefined;
  const rows = imagesByPrefix(state, prefix);
  if (rows.length > 1) {
    throw new TscError("TSC_IMAGE_AMBIGUOUS", `image id ${prefix} is a prefix of several images`, {
      kind: "invalid-input",
      hint: "give more digits",
    });
  }
  return rows[0];
}

/** As `findImage`, but `TSC_IMAGE_NOT_FOUND`. */
export function requireImage(state: State, text: string, platform?: string): ImageRow {
  const row = findImage(state, text, platform);
  if (row === undefined) {
    throw new TscError("TSC_IMAGE_NOT_FOUND", `No such image: ${printable(text, 300)}`, { kind: "not-found" });
  }
  return row;
}
