/** The digest a name has in its registry now; stores nothing. */
import { parseReference, withDefaultTag } from "./reference.js";
import { applyAlias, headManifest, type Registries } from "./registry/index.js";

/** See `ImagesApi.resolveDigest`. A reference with a digest is answered by the registry as well: it may have gone. */
export async function resolveDigest(registries: Registries, text: string): Promise<string> {
  const reference = withDefaultTag(parseReference(applyAlias(await registries.config(), text)));
  return await registries.withRepository(reference, (repository) =>
    headManifest(repository, reference.digest ?? reference.tag ?? "latest"),
  );
}
