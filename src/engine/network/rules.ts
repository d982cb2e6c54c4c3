/**
 * The packet filter rules of all our networks as iptables-restore input. Pure text. Every engine has its own chains
 * (named after its run root) and always writes them whole, so applying is idempotent and removal leaves nothing.
 */
import { createHash } from "node:crypto";

export interface RuleNetwork {
  readonly bridge: string;
  /** Subnets of the family the rules are for, with gateways. */
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string }[];
  readonly internal: boolean;
  /** Containers on the network may talk to each other. */
  readonly interContainer: boolean;
  readonly masquerade: boolean;
}

export interface Chains {
  readonly forward: string;
  readonly isolate: string;
  readonly input: string;
  readonly masquerade: string;
}

/** Chain names of one engine; ≤ 28 characters. */
export function chainsOf(runRoot: string): Chains {
  const tag = createHash("sha256").update(runRoot).digest("hex").slice(0, 8);
  return {
    forward: `TSC-${tag}-FWD`,
    isolate: `TSC-${tag}-ISO`,
    input: `TSC-${tag}-IN`,
    masquerade: `TSC-${tag}-MASQ`,
  };
}

/** Prefix of the bridges we name; isolation holds between engines too. */
export const BRIDGE_PREFIX = "tsc-";

const JUMPS = [
  ["filter", "FORWARD", "forward"],
  ["filter", "INPUT", "input"],
  ["nat", "POSTROUTING", "masquerade"],
] as const;

/**
 * Input for `iptables-restore --noflush` that makes the kernel's rules equal to `networks`; `saved` is what
 * iptables-save printed, to know which jumps exist. With no networks, chains and jumps are removed. Empty = nothing to do.
 */
export function restoreText(family: 4 | 6, chains: Chains, networks: readonly RuleNetwork[], saved: string): string {
  const present = saved.split("\n");
  const has = (line: string): boolean => present.includes(line);
  const jump = (base: string, chain: string): string => `${base} -j ${chain}`;
  if (networks.length === 0) {
    const tables = new Map<string, string[]>();
    for (const [table, base, key] of JUMPS) {
      const lines = tables.get(table) ?? [];
      tables.set(table, lines);
      if (has(`-A ${jump(base, chains[key])}`)) lines.push(`-D ${jump(base, chains[key])}`);
    }
    const text: string[] = [];
    for (const [table, lines] of tables) {
      const own = (table === "nat" ? [chains.masquerade] : [chains.forward, chains.input, chains.isolate]).filter(
        (chain) => present.some((line) => line.startsWith(`:${chain} `)),
      );
      if (own.length === 0 && lines.length === 0) continue;
      text.push(
        `*${table}`,
        ...own.map((chain) => `:${chain} - [0:0]`),
        ...lines,
        ...own.map((chain) => `-X ${chain}`),
        "COMMIT",
      );
    }
    return text.length === 0 ? "" : `${text.join("\n")}\n`;
  }
  const filter: string[] = [];
  const input: string[] = [];
  const masquerade: string[] = [];
  // Established and published (DNAT) traffic may cross; anything else between bridges may not.
  const isolate = [
    `-A ${chains.isolate} -m conntrack --ctstate DNAT -j RETURN`,
    `-A ${chains.isolate} -o ${BRIDGE_PREFIX}+ -j DROP`,
  ];
  for (const network of networks) {
    if (!network.bridge.startsWith(BRIDGE_PREFIX)) isolate.push(`-A ${chains.isolate} -o ${network.bridge} -j DROP`);
  }
  for (const network of networks) {
    const { bridge } = network;
    if (network.internal) {
      filter.push(
        `-A ${chains.forward} -i ${bridge} ! -o ${bridge} -j DROP`,
        `-A ${chains.forward} -o ${bridge} ! -i ${bridge} -j DROP`,
      );
    } else {
      filter.push(`-A ${chains.forward} -i ${bridge} ! -o ${bridge} -j ${chains.isolate}`);
    }
  }
  for (const network of networks) {
    const { bridge } = network;
    filter.push(`-A ${chains.forward} -i ${bridge} -o ${bridge} -j ${network.interContainer ? "ACCEPT" : "DROP"}`);
    if (!network.internal) {
      filter.push(
        `-A ${chains.forward} -i ${bridge} -j ACCEPT`,
        `-A ${chains.forward} -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
      );
    }
    // portmap sets route_localnet on the bridge: loopback services of the host must not open to containers with it.
    if (family === 4) {
      input.push(
        `-A ${chains.input} -i ${bridge} -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
      );
    }
    for (const { gateway } of network.subnets) {
      if (gateway === "") continue;
      for (const protocol of ["udp", "tcp"]) {
        input.push(`-A ${chains.input} -i ${bridge} -d ${gateway} -p ${protocol} -m ${protocol} --dport 53 -j ACCEPT`);
      }
    }
    if (network.internal) {
      input.push(`-A ${chains.input} -i ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`);
      if (family === 6) input.push(`-A ${chains.input} -i ${bridge} -p ipv6-icmp -j ACCEPT`);
      input.push(`-A ${chains.input} -i ${bridge} -j DROP`);
    } else if (network.masquerade) {
      for (const { subnet } of network.subnets) {
        masquerade.push(`-A ${chains.masquerade} -s ${subnet} ! -o ${bridge} -j MASQUERADE`);
      }
    }
  }
  const jumps = (table: string): string[] =>
    JUMPS.filter(([t, base, key]) => t === table && !has(`-A ${jump(base, chains[key])}`)).map(
      ([, base, key]) => `-I ${base} 1 -j ${chains[key]}`,
    );
  const declare = (...names: string[]): string[] => names.map((name) => `:${name} - [0:0]`);
  return `${[
    "*filter",
    ...declare(chains.forward, chains.isolate, chains.input),
    ...jumps("filter"),
    ...isolate,
    ...filter,
    ...input,
    "COMMIT",
    "*nat",
    ...declare(chains.masquerade),
    ...jumps("nat"),
    ...masquerade,
    "COMMIT",
  ].join("\n")}\n`;
}
