/**
 * The packet filter rules of all our networks as iptables-restore input. Pure text. Every engine has its own chains
 * (named after its run root) and always writes them whole, so applying is idempotent and removal leaves nothing.
 */
import { createHash } from "node:crypto";

/** A network that is up, as the rules of one family see it. */
export interface RuleNetwork {
  readonly bridge: string;
  /** Subnets of the family the rules are for, with gateways. */
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string }[];
  readonly internal: boolean;
  /** Containers on the network may talk to each other. */
  readonly interContainer: boolean;
  readonly masquerade: boolean;
}

/** A port that is published where the bridges are. */
export interface RulePort {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Empty = all addresses. */
  readonly hostIp: string;
  /** The only interface by which it may be asked for; undefined for every one. */
  readonly arrivesBy?: string;
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

/** `forward`, `isolate` and `input` are in the table filter, `masquerade` and `publish` in nat, `outside` in raw. */
export interface Chains {
  readonly forward: string;
  readonly isolate: string;
  readonly input: string;
  readonly masquerade: string;
  readonly publish: string;
  readonly outside: string;
}

/** Chain names of one engine; ≤ 28 characters. */
export function chainsOf(runRoot: string): Chains {
  const tag = createHash("sha256").update(runRoot).digest("hex").slice(0, 8);
  return {
    forward: `TSC-${tag}-FWD`,
    isolate: `TSC-${tag}-ISO`,
    input: `TSC-${tag}-IN`,
    masquerade: `TSC-${tag}-MASQ`,
    publish: `TSC-${tag}-PORTS`,
    outside: `TSC-${tag}-RAW`,
  };
}

/** Prefix of the bridges we name; isolation holds between engines too. */
export const BRIDGE_PREFIX = "tsc-";

const TABLES = ["raw", "filter", "nat"] as const;
type Table = (typeof TABLES)[number];

interface Jump {
  readonly table: Table;
  readonly base: string;
  /** As iptables-save prints it, after the base chain. */
  readonly rule: string;
}

function jumpsOf(family: 4 | 6, chains: Chains): Jump[] {
  // A port published on 127.0.0.1 opens to nobody but the host.
  const notLoopback = family === 4 ? "! -d 127.0.0.0/8 " : "! -d ::1/128 ";
  return [
    { table: "raw", base: "PREROUTING", rule: `-j ${chains.outside}` },
    { table: "filter", base: "FORWARD", rule: `-j ${chains.forward}` },
    { table: "filter", base: "INPUT", rule: `-j ${chains.input}` },
    { table: "nat", base: "PREROUTING", rule: `${notLoopback}-m addrtype --dst-type LOCAL -j ${chains.publish}` },
    // IPv6 has no route_localnet: ::1 is the forwarder's.
    {
      table: "nat",
      base: "OUTPUT",
      rule: `${family === 6 ? notLoopback : ""}-m addrtype --dst-type LOCAL -j ${chains.publish}`,
    },
    { table: "nat", base: "POSTROUTING", rule: `-j ${chains.masquerade}` },
  ];
}

function chainsIn(table: Table, chains: Chains): string[] {
  if (table === "raw") return [chains.outside];
  return table === "nat" ? [chains.masquerade, chains.publish] : [chains.forward, chains.input, chains.isolate];
}
const declare = (names: readonly string[]): string[] => names.map((name) => `:${name} - [0:0]`);

/** Removes jumps and chains that `present` (lines of iptables-save) shows. */
function removalText(family: 4 | 6, chains: Chains, present: ReadonlySet<string>, guard: readonly string[]): string {
  const text: string[] = [];
  for (const table of TABLES) {
    const jumps = jumpsOf(family, chains).filter(
      (jump) => jump.table === table && present.has(`-A ${jump.base} ${jump.rule}`),
    );
    const own = chainsIn(table, chains).filter((chain) => present.has(`:${chain} - [0:0]`));
    const extra = table === "filter" ? guard : [];
    if (own.length === 0 && jumps.length === 0 && extra.length === 0) continue;
    text.push(
      `*${table}`,
      ...extra,
      ...declare(own),
      ...jumps.map((jump) => `-D ${jump.base} ${jump.rule}`),
      ...own.map((chain) => `-X ${chain}`),
      "COMMIT",
    );
  }
  return text.length === 0 ? "" : `${text.join("\n")}\n`;
}

/** One address as iptables-save prints it. */
const single = (address: string): string => `${address}${address.includes(":") ? "/128" : "/32"}`;

/** Rules as iptables-save prints them, so that what is there already is recognised. */
function filterRules(family: 4 | 6, chains: Chains, networks: readonly RuleNetwork[]): string[] {
  const forward: string[] = [];
  const input: string[] = [];
  // Published (DNAT) traffic and its answers may cross between bridges, nothing else.
  const isolate = [
    `-A ${chains.isolate} -m conntrack --ctstate DNAT -j RETURN`,
    `-A ${chains.isolate} -o ${BRIDGE_PREFIX}+ -j DROP`,
    ...networks
      .filter(({ bridge }) => !bridge.startsWith(BRIDGE_PREFIX))
      .map(({ bridge }) => `-A ${chains.isolate} -o ${bridge} -j DROP`),
  ];
  for (const { bridge, internal } of networks) {
    const leaving = `-A ${chains.forward} -i ${bridge} ! -o ${bridge}`;
    if (internal) forward.push(`${leaving} -j DROP`, `-A ${chains.forward} ! -i ${bridge} -o ${bridge} -j DROP`);
    else forward.push(`${leaving} -j ${chains.isolate}`);
  }
  for (const network of networks) {
    const { bridge } = network;
    forward.push(`-A ${chains.forward} -i ${bridge} -o ${bridge} -j ${network.interContainer ? "ACCEPT" : "DROP"}`);
    if (!network.internal) {
      forward.push(
        `-A ${chains.forward} -i ${bridge} -j ACCEPT`,
        admitRule(chains, bridge),
        `-A ${chains.forward} -o ${bridge} -j DROP`,
      );
    }
    const onBridge = (to = "") => `-A ${chains.input} ${to === "" ? "" : `-d ${to} `}-i ${bridge}`;
    for (const gateway of gatewaysOf(network)) {
      for (const protocol of ["udp", "tcp"]) {
        input.push(`${onBridge(single(gateway))} -p ${protocol} -m ${protocol} --dport 53 -j ACCEPT`);
      }
      if (!network.internal) input.push(`${onBridge(single(gateway))} -j RETURN`);
    }
    if (!network.internal) continue;
    input.push(`${onBridge()} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`);
    if (family === 6) input.push(`${onBridge()} -p ipv6-icmp -j ACCEPT`);
    input.push(`${onBridge()} -j DROP`);
  }
  // The name server behind a gateway tells a network's names to whoever asks there: nobody else may.
  for (const gateway of networks.flatMap(gatewaysOf)) input.push(`-A ${chains.input} -d ${single(gateway)} -j DROP`);
  return [...isolate, ...forward, `-A ${chains.input} -i lo -j RETURN`, ...input];
}

const admittingRules = (chains: Chains, bridges: readonly string[]): string[] =>
  bridges.flatMap((bridge) => [`-A ${chains.forward} -i ${bridge} -j ACCEPT`, admitRule(chains, bridge)]);

const gatewaysOf = ({ subnets }: RuleNetwork): string[] =>
  subnets.flatMap(({ gateway }) => (gateway === "" ? [] : [gateway]));

/**
 * What arrives from outside for an address that only exists here, before any other rule may accept it. Addresses of loopback never come
 * over a wire, whatever route_localnet says; containers are reached through published ports, which are addresses of the host.
 */
function rawRules(family: 4 | 6, chains: Chains, networks: readonly RuleNetwork[]): string[] {
  const ownNames = networks.map(({ bridge }) => bridge).filter((bridge) => !bridge.startsWith(BRIDGE_PREFIX));
  // Without masquerading, answers from outside carry the container's own address.
  const hidden = networks.filter(({ masquerade, internal }) => masquerade || internal);
  return [
    `-A ${chains.outside} -i lo -j RETURN`,
    `-A ${chains.outside} -d ${family === 4 ? "127.0.0.0/8" : "::1/128"} -j DROP`,
    ...[`${BRIDGE_PREFIX}+`, ...ownNames].map((name) => `-A ${chains.outside} -i ${name} -j RETURN`),
    ...hidden.flatMap(({ subnets }) => subnets.map(({ subnet }) => `-A ${chains.outside} -d ${subnet} -j DROP`)),
  ];
}

function natRules(
  family: 4 | 6,
  chains: Chains,
  networks: readonly RuleNetwork[],
  ports: readonly RulePort[],
): string[] {
  const lines: string[] = [];
  for (const { bridge, subnets, internal, masquerade } of networks) {
    if (internal) continue;
    for (const { subnet } of subnets) {
      // A neighbour that comes through the published port must be answered through it.
      lines.push(`-A ${chains.masquerade} -s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j MASQUERADE`);
      // Between our bridges (published ports) the client's address is kept.
      lines.push(`-A ${chains.masquerade} -s ${subnet} -o ${BRIDGE_PREFIX}+ -j RETURN`);
      if (masquerade) lines.push(`-A ${chains.masquerade} -s ${subnet} ! -o ${bridge} -j MASQUERADE`);
    }
    if (family === 4) {
      lines.push(`-A ${chains.masquerade} -s 127.0.0.0/8 -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`);
    }
  }
  // A port on one address goes before the same port on all.
  const isForAll = ({ hostIp, arrivesBy }: RulePort): number => Number(hostIp === "" && arrivesBy === undefined);
  const ordered = [...ports].sort((a, b) => isForAll(a) - isForAll(b));
  for (const port of ordered) {
    lines.push(publishRule(chains, port));
  }
  return lines;
}

/** The rule that leads a published port to its container. */
export function publishRule(chains: Chains, port: RulePort): string {
  const { containerIp, containerPort, protocol, hostIp, hostPort, arrivesBy } = port;
  const to = containerIp.includes(":") ? `[${containerIp}]:${containerPort}` : `${containerIp}:${containerPort}`;
  const address = hostIp === "" ? "" : `-d ${single(hostIp)} `;
  const where = arrivesBy === undefined ? address : `${address}-i ${arrivesBy} `;
  return `-A ${chains.publish} ${where}-p ${protocol} -m ${protocol} --dport ${hostPort} -j DNAT --to-destination ${to}`;
}

/** The rule that lets what is published, and answers, onto a bridge. */
export function admitRule(chains: Chains, bridge: string): string {
  return `-A ${chains.forward} -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`;
}

/** The jump from a base chain into ours, as a line of iptables-save. */
export function jumpRule(family: 4 | 6, chains: Chains, table: "filter" | "nat", base: string): string {
  const jump = jumpsOf(family, chains).find((one) => one.table === table && one.base === base);
  return `-A ${base} ${jump?.rule ?? ""}`;
}

/** A commit is one netlink message, which for an ordinary user must fit into a socket's usual buffer; a rule takes some 400 bytes of it. */
const COMMITTED_AT_ONCE = 250;

/** What the filter table holds beside the networks' own rules. */
export interface FilterExtras {
  /** Lines of the host's guard (forwarding.ts). */
  readonly guard?: readonly string[];
  /** Bridges of a person's own lists whose plugins filter nothing: the guard must not cut them off. */
  readonly admitted?: readonly string[];
}

/**
 * Input for `iptables-restore --noflush` that makes the kernel's rules equal to what is given; `saved` is what
 * iptables-save printed, to know which jumps exist. With no networks, chains and jumps are removed. Empty = nothing to do.
 */
export function restoreText(
  family: 4 | 6,
  chains: Chains,
  networks: readonly RuleNetwork[],
  ports: readonly RulePort[],
  saved: string,
  { guard = [], admitted = [] }: FilterExtras = {},
): string {
  const lines = saved.split("\n").map((line) => line.replace(/^(:\S+ \S+) \[\d+:\d+\]$/, "$1 [0:0]").trimEnd());
  const present = new Set(lines);
  if (networks.length === 0) return removalText(family, chains, present, guard);
  const rulesOf: Readonly<Record<Table, () => string[]>> = {
    raw: () => rawRules(family, chains, networks),
    filter: () => [...filterRules(family, chains, networks), ...admittingRules(chains, admitted)],
    nat: () => natRules(family, chains, networks, ports),
  };
  const text: string[] = [];
  for (const table of TABLES) {
    const own = chainsIn(table, chains);
    const jumps = jumpsOf(family, chains).filter(
      (jump) => jump.table === table && !present.has(`-A ${jump.base} ${jump.rule}`),
    );
    const rules = rulesOf[table]();
    const extra = table === "filter" ? guard : [];
    if (jumps.length === 0 && extra.length === 0 && areEqual(own, rules, lines)) continue;
    text.push(
      `*${table}`,
      ...extra,
      ...declare(own),
      ...jumps.map((jump) => `-I ${jump.base} 1 ${jump.rule}`),
      ...rules.slice(0, COMMITTED_AT_ONCE),
      "COMMIT",
    );
    // Chains that are not declared again are added to.
    for (let at = COMMITTED_AT_ONCE; at < rules.length; at += COMMITTED_AT_ONCE)
      text.push(`*${table}`, ...rules.slice(at, at + COMMITTED_AT_ONCE), "COMMIT");
  }
  return text.length === 0 ? "" : `${text.join("\n")}\n`;
}

/** Whether the chains are there in `lines` (of iptables-save) and hold these rules in this order. */
function areEqual(own: readonly string[], rules: readonly string[], lines: readonly string[]): boolean {
  const rulesOf = (all: readonly string[], chain: string) =>
    all.filter((line) => line.startsWith(`-A ${chain} `)).join("\n");
  return own.every((chain) => lines.includes(`:${chain} - [0:0]`) && rulesOf(lines, chain) === rulesOf(rules, chain));
}
