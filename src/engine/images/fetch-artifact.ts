/** Reads a manifest of plain files (an OCI artifact) whole. What the files are is the caller's business; nothing is stored. */
import { TscError } from "../../lib/errors.js";
import type { ArtifactFile } from "../api.js";
import { type Descriptor, parseJson } from "./manifest.js";
import { parseReference, withDefaultTag } from "./reference.js";
import { applyAlias, fetchManifest, fetchSmallBlob, type Registries } from "./registry/index.js";

/** All files together, in bytes: they are held in memory. */
const ARTIFACT_LIMIT = 64 * 1024 * 1024;
const FILES_LIMIT = 1000;

/** See `ImagesApi.fetchArtifact`. */
export async function fetchArtifact(
  registries: Registries,
  text: string,
  signal?: AbortSignal,
): Promise<{ readonly digest: string; readonly files: readonly ArtifactFile[] }> {
  const reference = withDefaultTag(parseReference(applyAlias(await registries.config(), text)));
  return await registries.withRepository(reference, async (repository) => {
    const wanted = reference.digest ?? reference.tag ?? "latest";
    const { data, digest } = await fetchManifest(repository, wanted, signal);
    const manifest = parseJson(data, `manifest of ${text}`) as Readonly<Record<string, unknown>>;
    const layers = readLayers(manifest["layers"], text);
    const files: ArtifactFile[] = [];
    for (const layer of layers) {
      const { mediaType, annotations } = layer;
      files.push({ mediaType, data: await fetchSmallBlob(repository, layer, signal), annotations });
    }
    return { digest, files };
  });
}

function readLayers(value: unknown, text: string): Descriptor[] {
  const invalid = (what: string) => new TscError("TSC_REGISTRY_INVALID", `${text}: ${what}`, { kind: "invalid-input" });
  if (!Array.isArray(value)) throw invalid("is no artifact: it has no layers");
  if (value.length > FILES_LIMIT) throw invalid(`has more than ${FILES_LIMIT} files`);
  let total = 0;
  return value.map((one: unknown): Descriptor => {
    if (typeof one !== "object" || one === null) throw invalid("has a layer that is no descriptor");
    const { mediaType, digest, size, annotations } = one as Readonly<Record<string, unknown>>;
    if (typeof mediaType !== "string" || typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest))
      throw invalid("has a layer without media type or digest");
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw invalid("has a layer without a size");
    total += size;
    if (total > ARTIFACT_LIMIT) throw invalid(`is larger than ${ARTIFACT_LIMIT} bytes`);
    const texts =
      typeof annotations === "object" && annotations !== null
        ? Object.fromEntries(
            Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
          )
        : {};
    return { mediaType, digest, size, urls: [], annotations: texts };
  });
}
