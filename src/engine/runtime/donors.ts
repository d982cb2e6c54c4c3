/**
 * Containers whose namespaces another one joins. The runtime opens them by pid, and by then the pid may be somebody else's: a donor ends while
 * the image's content is copied into a volume, others fork until its number comes round, and what is joined is the host's. So the donors are
 * looked at again when the container is created: one that still lives had its pid all along.
 */
import { TscError } from "../../lib/errors.js";
import { sharedContainers } from "../sharing.js";
import type { ContainerRow } from "../state/containers.js";
import type { RuntimeDeps } from "./deps.js";
import { findContainer, livingPid } from "./lookup.js";

/** Rows of running containers, by the reference given in the spec. */
export type Donors = ReadonlyMap<string, ContainerRow>;

/** All donors of a container. `TSC_CONTAINER_NOT_FOUND`, `TSC_CONTAINER_NOT_RUNNING`. */
export function findDonors({ ctx }: RuntimeDeps, row: Pick<ContainerRow, "name" | "spec">): Donors {
  const donors = new Map<string, ContainerRow>();
  for (const { how, container } of sharedContainers(row.spec)) {
    // volumes were found when the container was made
    if (how === "volumes") continue;
    const donor = findContainer(ctx, container);
    if (livingPid(ctx, donor) === undefined) throw notRunning(row, donor);
    donors.set(container, donor);
  }
  return donors;
}

/** The one whose network is shared. */
export function networkDonor({ spec }: Pick<ContainerRow, "spec">, donors: Donors): ContainerRow | undefined {
  return spec.networkMode?.kind === "container" ? donors.get(spec.networkMode.container) : undefined;
}

/** After the create, before anything of the container runs. `TSC_CONTAINER_NOT_RUNNING` when a donor has ended since. */
export function confirmDonors({ ctx }: RuntimeDeps, row: Pick<ContainerRow, "name" | "spec">, donors: Donors): void {
  for (const donor of donors.values()) if (livingPid(ctx, donor) === undefined) throw notRunning(row, donor);
}

function notRunning(row: Pick<ContainerRow, "name">, donor: ContainerRow): TscError {
  return new TscError(
    "TSC_CONTAINER_NOT_RUNNING",
    `container ${row.name} joins namespaces of container ${donor.name}, which is not running`,
    { kind: "conflict", hint: `start ${donor.name} first`, exitCode: 125 },
  );
}
