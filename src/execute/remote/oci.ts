/** Compose projects published as OCI artifacts (`publish`): their files, from the registry into the cache. */
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactFile } from "../../engine/api.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { cachedFolder, type Fetched } from "./cache.js";
import { COMPOSE_FILE_TYPE, ENV_FILE_TYPE } from "./media-types.js";
import type { RemoteSurroundings } from "./surroundings.js";

/** `registry/repository[:tag][@digest]`; the tag is resolved each time, its content is fetched once. */
export async function loadOci(
  reference: string,
  { env, images, signal }: RemoteSurroundings,
): Promise<Fetched & { readonly path: string; readonly digest: string }> {
  const registry = await images();
  const digest = await registry.resolveDigest(reference);
  const pinned = `${reference.replace(/@sha256:[0-9a-f]+$/, "")}@${digest}`;
  const { folder, original } = await cachedFolder(env, join("oci", digest.replace(":", "-")), async (temporary) => {
    const { files } = await registry.fetchArtifact(pinned, given({ signal }));
    await unpack(files, temporary, reference);
  });
  return { path: join(folder, "compose.yaml"), digest, folder, original };
}

async function unpack(files: readonly ArtifactFile[], folder: string, reference: string): Promise<void> {
  const main = join(folder, "compose.yaml");
  let parts = 0;
  for (const { mediaType, data, annotations } of files) {
    if (mediaType === COMPOSE_FILE_TYPE) {
      if (annotations?.["com.docker.compose.extends"] === "true") {
        const name = fileName(annotations["com.docker.compose.file"], reference);
        await writeFile(join(folder, name), data, { flag: "wx" });
      } else {
        // one file of several documents: they merge in order, as the files did
        await appendFile(main, parts === 0 ? data : Buffer.concat([Buffer.from("\n---\n"), data]));
        parts++;
      }
    } else if (mediaType === ENV_FILE_TYPE) {
      const name = fileName(annotations?.["com.docker.compose.envfile"], reference);
      await writeFile(join(folder, name), data, { flag: "wx", mode: 0o600 });
    }
  }
  if (parts === 0) {
    throw new TscError("TSC_REMOTE_INVALID", `${reference} holds no compose file`, {
      kind: "invalid-input",
      hint: "is it an image? Compose projects are published with `tscompose publish`",
    });
  }
}

/** A plain name: what a registry says must not choose a place on this machine. */
function fileName(name: string | undefined, reference: string): string {
  if (name !== undefined && /^[\w.][\w.-]{0,200}$/.test(name) && !/^\.{1,2}$|^compose\.yaml$/.test(name)) return name;
  throw new TscError("TSC_REMOTE_INVALID", `${reference} has a file with the name ${JSON.stringify(name ?? "")}`, {
    kind: "denied",
    hint: "names of files in an artifact must be plain",
  });
}
