/** Loads a remote compose file by the kind of its reference. */
import type { RemoteLoader } from "../../compose/index.js";
import { TscError } from "../../lib/errors.js";
import { loadGit } from "./git.js";
import { loadOci } from "./oci.js";
import type { RemoteSurroundings } from "./surroundings.js";

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
