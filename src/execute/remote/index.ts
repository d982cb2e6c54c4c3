/** Brings remote compose files (`oci://…`, git URLs) into a cache of this user, pinned by digest or commit. */
import type { RemoteLoader } from "../../compose/index.js";
import type { ImagesApi } from "../../engine/api.js";
import { TscError } from "../../lib/errors.js";
import { loadGit } from "./git.js";
import { loadOci } from "./oci.js";

/** What remote loaders need from their surroundings. */
export interface RemoteSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens the engine's images, for registries. */
  readonly images: () => Promise<Pick<ImagesApi, "resolveDigest" | "fetchArtifact">>;
  readonly signal?: AbortSignal;
}

/** Loads one reference that `isRemote` accepted. Throws TSC_REMOTE_DISABLED, TSC_REMOTE_INVALID, TSC_REMOTE_GIT or what the registry says. */
export async function loadRemote(
  reference: string,
  around: RemoteSurroundings,
): Promise<Awaited<ReturnType<RemoteLoader["load"]>>> {
  const isOci = reference.startsWith("oci://");
  const variable = isOci ? "COMPOSE_EXPERIMENTAL_OCI_REMOTE" : "COMPOSE_EXPERIMENTAL_GIT_REMOTE";
  if (/^(?:0|f|false)$/i.test(around.env[variable] ?? "")) {
    throw new TscError("TSC_REMOTE_DISABLED", `${isOci ? "oci" : "git"} remote resource is disabled by ${variable}`, {
      kind: "denied",
      hint: `unset ${variable}`,
    });
  }
  return isOci ? await loadOci(reference.slice(6), around) : await loadGit(reference, around);
}
