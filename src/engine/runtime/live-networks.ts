/** Networks of a container that come and go while it is there. */
import { saveSpec } from "../state/containers.js";
import type { NetworkAttachment } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { findContainer, isUp } from "./lookup.js";

/** Joins a network: at once when the container runs, and with each later start. Errors are those of the network part. */
export async function connectNetwork(deps: RuntimeDeps, id: string, attachment: NetworkAttachment): Promise<void> {
  const row = findContainer(deps.ctx, id);
  if (isUp(row)) await (await deps.networking()).connect(row.id, attachment);
  const others = (row.spec.networks ?? []).filter((entry) => entry.network !== attachment.network);
  saveSpec(deps.ctx.state, row.id, { ...row.spec, networks: [...others, attachment] });
}

/** Leaves a network: at once when the container runs, and for each later start. */
export async function disconnectNetwork(deps: RuntimeDeps, id: string, network: string): Promise<void> {
  const row = findContainer(deps.ctx, id);
  if (isUp(row)) await (await deps.networking()).disconnect(row.id, network);
  const networks = (row.spec.networks ?? []).filter((entry) => entry.network !== network);
  saveSpec(deps.ctx.state, row.id, { ...row.spec, networks });
}
