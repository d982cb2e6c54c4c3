/** Networks of the project: create, or replace when their configuration changed. Decides; the order of removal is the caller's. */
import { limitsMet } from "../../compose/attributes/index.js";
import type { NetworkConfig } from "../../compose/model.js";
import { isPredefined } from "../../engine/network/drivers/index.js";
import type { NetworkSpec } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { networkHash } from "../hash.js";
import { COMPOSE_VERSION, LABEL } from "../labels.js";
import { sayLimits } from "../limits.js";
import { networkName } from "../names.js";
import type { Reconciliation } from "./context.js";

/** What becomes of a network of the project. */
export type NetworkDecision = {
  readonly key: string;
  readonly name: string;
  readonly spec: NetworkSpec;
} & ({ readonly action: "create" } | { readonly action: "replace" } | { readonly action: "keep" });

/** One decision per network of the project, by key. TSC_NETWORK_NOT_FOUND for a missing external network. */
export function decideNetworks({ project, observed, plan }: Reconciliation): NetworkDecision[] {
  return Object.keys(project.networks)
    .sort()
    .flatMap((key): NetworkDecision[] => {
      const config = project.networks[key];
      if (config === undefined) return [];
      const name = networkName(project, key, config);
      const existing = observed.networks.get(name);
      if (config.external === true) {
        if (existing === undefined && !isPredefined(name)) {
          throw new TscError("TSC_NETWORK_NOT_FOUND", `network ${name} declared as external, but could not be found`, {
            kind: "not-found",
            hint: `make it with: tscompose network create ${name}`,
          });
        }
        return [];
      }
      sayLimits(limitsMet("networks", key, config), project, (message) => plan.warn(message));
      const spec = networkSpec(project.name, key, name, config);
      if (existing === undefined) return [{ key, name, spec, action: "create" }];
      const owner = existing.labels[LABEL.project];
      if (owner !== project.name || (existing.labels[LABEL.network] ?? key) !== key) {
        plan.warn(
          owner === undefined || owner === project.name
            ? `a network with name ${name} exists but was not created by compose for "${key}"; set \`external: true\` to use an existing network`
            : `a network with name ${name} exists but was created for project "${owner}"; set \`external: true\` to use an existing network`,
        );
        return [{ key, name, spec, action: "keep" }];
      }
      // without a hash, an older docker compose made it: nothing tells that it differs
      const before = existing.labels[LABEL.configHash] ?? "";
      const changed = before !== "" && before !== spec.labels?.[LABEL.configHash];
      return [{ key, name, spec, action: changed ? "replace" : "keep" }];
    });
}

function networkSpec(project: string, key: string, name: string, config: NetworkConfig): NetworkSpec {
  const dns = config["x-podman.dns"];
  return {
    name,
    ...(config.driver === undefined || config.driver === "default" ? {} : { driver: config.driver }),
    ...given({
      driverOpts: config.driver_opts,
      internal: config.internal,
      enableIpv4: config.enable_ipv4,
      enableIpv6: config.enable_ipv6,
    }),
    ...(config.ipam?.config === undefined
      ? {}
      : {
          subnets: config.ipam.config.flatMap((pool) =>
            pool.subnet === undefined
              ? []
              : [
                  {
                    subnet: pool.subnet,
                    ...given({
                      gateway: pool.gateway,
                      ipRange: pool.ip_range,
                      auxAddresses: pool.aux_addresses,
                    }),
                  },
                ],
          ),
        }),
    ...(config["x-podman.disable_dns"] === true ? { disableDns: true } : {}),
    ...(Array.isArray(dns) ? { dns: dns.map(String) } : {}),
    labels: {
      ...config.labels,
      [LABEL.network]: key,
      [LABEL.project]: project,
      [LABEL.version]: COMPOSE_VERSION,
      [LABEL.configHash]: networkHash(config),
    },
  };
}
