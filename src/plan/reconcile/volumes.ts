/** Named volumes of the project: create, or replace (after asking) when their configuration changed. */
import type { VolumeSpec } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { volumeHash } from "../hash.js";
import { COMPOSE_VERSION, LABEL } from "../labels.js";
import { volumeName } from "../names.js";
import type { Reconciliation } from "./context.js";

/** What becomes of a volume of the project. */
export interface VolumeDecision {
  readonly key: string;
  readonly name: string;
  readonly spec: VolumeSpec;
  readonly action: "create" | "replace" | "keep";
}

/** One decision per volume, by key. TSC_VOLUME_NOT_FOUND for a missing external volume. Asks before data is lost. */
export async function decideVolumes({ project, observed, plan, options }: Reconciliation): Promise<VolumeDecision[]> {
  const decisions: VolumeDecision[] = [];
  for (const key of Object.keys(project.volumes).sort()) {
    const config = project.volumes[key] ?? {};
    const name = volumeName(project, key, config);
    const existing = observed.volumes.get(name);
    if (config.external === true) {
      if (existing === undefined) {
        throw new TscError("TSC_VOLUME_NOT_FOUND", `external volume "${name}" not found`, {
          kind: "not-found",
          hint: `make it with: tscompose volume create ${name}`,
        });
      }
      continue;
    }
    const hash = volumeHash(config);
    const spec: VolumeSpec = {
      name,
      ...(config.driver === undefined || config.driver === "default" ? {} : { driver: config.driver }),
      ...given({ driverOpts: config.driver_opts }),
      labels: {
        ...config.labels,
        [LABEL.project]: project.name,
        [LABEL.volume]: key,
        [LABEL.version]: COMPOSE_VERSION,
        [LABEL.configHash]: hash,
      },
    };
    if (existing === undefined) {
      decisions.push({ key, name, spec, action: "create" });
      continue;
    }
    const owner = existing.labels[LABEL.project];
    if (owner !== project.name) {
      plan.warn(
        owner === undefined
          ? `volume "${name}" already exists but was not created by compose; use \`external: true\` to use an existing volume`
          : `volume "${name}" already exists but was created for project "${owner}"; use \`external: true\` to use an existing volume`,
      );
      decisions.push({ key, name, spec, action: "keep" });
      continue;
    }
    const before = existing.labels[LABEL.configHash] ?? "";
    const changed = before !== "" && before !== hash;
    const replace =
      changed &&
      (await options.confirm(
        `Volume "${name}" exists but doesn't match configuration in compose file. Recreate (data will be lost)?`,
      ));
    decisions.push({ key, name, spec, action: replace ? "replace" : "keep" });
  }
  return decisions;
}
