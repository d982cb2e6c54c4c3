/** Kernel settings of a container's fresh network namespace. */
import { hasSetting } from "../../kernel/proc.js";
import { TscError } from "../../lib/errors.js";

/** Sysctls of a fresh namespace: no router advertisements, no IPv6 on IPv4-only networks, low ports for every user. */
export function namespaceSysctls(ipv6: boolean, own: Readonly<Record<string, string>>): Record<string, string> {
  for (const name of Object.keys(own)) {
    if (!/^net\.[A-Za-z0-9_.*/-]+$/.test(name) || name.includes("..")) {
      throw new TscError("TSC_SYSCTL", `sysctl ${JSON.stringify(name)} does not belong to the network namespace`, {
        kind: "invalid-input",
      });
    }
  }
  const hasIpv6 = hasSetting("net/ipv6/conf/default");
  return {
    "net.ipv4.ip_unprivileged_port_start": "0",
    ...(hasIpv6
      ? {
          "net.ipv6.conf.default.accept_ra": "0",
          "net.ipv6.conf.default.accept_dad": "0",
          ...(ipv6 ? {} : { "net.ipv6.conf.default.disable_ipv6": "1" }),
        }
      : {}),
    ...own,
  };
}
