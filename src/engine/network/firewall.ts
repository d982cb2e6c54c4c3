/**
 * Keeps the kernel's rules equal to the networks that are up and the ports that are published, in the namespace that
 * holds the bridges. One iptables-save and one iptables-restore per update, however many containers it is for.
 */
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { liveEndpoints, type ReservedPort } from "../state/endpoints.js";
import { findNetwork, forgetForwarding, type NetworkRecord, networksStanding } from "../state/networks.js";
import { takeLock } from "../take-lock.js";
import { parseConflist } from "./cni.js";
import { type Coalescer, createCoalescer } from "./coalesce.js";
import { isolatesContainers, masquerades } from "./drivers/index.js";
import { FORWARDING_LOCK, forwardingNow, planForwarding, turnForwarding } from "./forwarding.js";
import { withLock } from "./locks.js";
import { isInterfaceName } from "./names.js";
import { noteFamilies, originText } from "./origin-rules.js";
import { helperEnv, needProgram } from "./programs.js";
import { usesForwarder } from "./publish.js";
import { chainsOf, type RuleNetwork, type RulePort, restoreText } from "./rules.js";
import { run } from "./run.js";
import type { Site } from "./site.js";

/** Updates of one engine's rules: who changes a row notes it and waits. They reject with `TSC_FIREWALL_FAILED` or `TSC_MISSING_PROGRAM`. */
export interface Firewall extends Coalescer {
  /** From the next update on, IPv6 rules are written too (a network with IPv6 came or went). */
  touchIpv6(): void;
  /** The kernel's rules of a family as iptables-save prints them with counters. `TSC_FIREWALL_FAILED`, `TSC_MISSING_PROGRAM`. */
  counted(family: 4 | 6): Promise<string>;
}

const isWildcard = (ip: string): boolean => ip === "" || ip === "0.0.0.0" || ip === "::";

function ruleNetwork(record: NetworkRecord, family: 4 | 6): RuleNetwork | undefined {
  const subnets = record.settings.subnets
    .filter(({ subnet }) => subnet.includes(":") === (family === 6))
    .map(({ subnet, gateway }) => ({ subnet, gateway: gateway ?? "" }));
  if (subnets.length === 0) return undefined;
  const options = record.spec.driverOpts ?? {};
  return {
    bridge: record.settings.bridge,
    subnets,
    internal: record.settings.internal,
    interContainer: !isolatesContainers(options),
    masquerade: masquerades(options),
  };
}

/** A person's own list without a plugin that lets its packets through; its bridge's name is a word of our rules only if it may be one. */
function isUnfiltered(record: NetworkRecord): boolean {
  const { source, bridge } = record.settings;
  if (source !== "user" || !isInterfaceName(bridge)) return false;
  return !parseConflist(record.conflist, `of network ${record.name}`).plugins.some(({ type }) => type === "firewall");
}

/** A published port as the packet filter of one family carries it; undefined when that family does not. `uplink`: "" for root. Pure. */
export function rulePort(port: ReservedPort, family: 4 | 6, containerIp: string, uplink: string): RulePort | undefined {
  // Rootless, the uplink delivers to its own address: the host's address was applied where the port is open.
  const hostIp = uplink !== "" || isWildcard(port.hostIp) ? "" : port.hostIp;
  // ::1 cannot be translated to an address beyond this machine: the forwarder has it.
  if ((hostIp !== "" && hostIp.includes(":") !== (family === 6)) || hostIp === "::1") return undefined;
  if ((port.hostIp === "0.0.0.0" && family === 6) || (port.hostIp === "::" && family === 4)) return undefined;
  // What is published on one address of the host is not for neighbours here, whose gateway has the port as well.
  const isForUplink = uplink !== "" && !isWildcard(port.hostIp);
  return {
    protocol: port.protocol,
    hostIp,
    hostPort: port.innerPort ?? port.hostPort,
    containerIp,
    containerPort: port.containerPort,
    ...(isForUplink ? { arrivesBy: uplink } : {}),
  };
}

/** The rules of one engine. `TSC_FIREWALL_FAILED`. */
export function createFirewall(ctx: EngineContext, site: Site): Firewall {
  const chains = chainsOf(ctx.paths.runRoot);
  const env = { ...helperEnv(ctx.env), XTABLES_LOCKFILE: `${ctx.paths.network}/xtables.lock` };
  let ipv6 = false;

  async function program(argv: readonly string[], input = ""): Promise<string> {
    const result = await run(ctx.kernel, [...site.prefix(), ...argv], {
      env: ctx.rootless ? env : helperEnv(ctx.env),
      input,
    });
    if (result.code !== 0) {
      throw new TscError("TSC_FIREWALL_FAILED", `${argv[0]} failed: ${printable(result.stderr)}`, {
        kind: "unavailable",
        hint: "check that the kernel has nf_tables (or ip_tables), conntrack and nat support",
      });
    }
    return result.stdout;
  }

  function wanted(family: 4 | 6): { networks: RuleNetwork[]; ports: RulePort[]; admitted: string[] } {
    const epoch = site.epoch();
    const bridged = (epoch === undefined ? [] : networksStanding(ctx.state, epoch)).flatMap((name) => {
      const record = findNetwork(ctx.state, name);
      return record !== undefined && record.settings.bridge !== "" ? [record] : [];
    });
    const records = bridged.filter(({ settings }) => settings.source === "generated");
    const names = new Set(records.map((record) => record.name));
    const ports: RulePort[] = [];
    for (const { network, endpoint, cni } of liveEndpoints(ctx.state, ctx.kernel.bootId())) {
      const containerIp = family === 4 ? endpoint.ipv4 : endpoint.ipv6;
      if (!names.has(network) || containerIp === "") continue;
      ports.push(...cni.ports.flatMap((port) => rulePort(port, family, containerIp, site.uplinkInterface) ?? []));
    }
    return {
      networks: records.flatMap((record) => ruleNetwork(record, family) ?? []),
      ports,
      admitted: bridged.filter(isUnfiltered).map(({ settings }) => settings.bridge),
    };
  }

  function baseOf(family: 4 | 6): string {
    const iptables = needProgram(ctx.env, "iptables");
    return family === 4 ? iptables : iptables.replace(/iptables$/, "ip6tables");
  }

  /** Whether the namespace keeps clients' addresses; a kernel without the matches goes without. */
  async function keepsOrigin(base: string, saved: string): Promise<boolean> {
    if (!ctx.rootless || !usesForwarder(ctx)) return false;
    const text = originText(saved);
    return (
      text === "" ||
      program([`${base}-restore`, "--noflush", "-w", "10"], text).then(
        () => true,
        () => false,
      )
    );
  }

  /** The families for which the namespace keeps clients' addresses. */
  async function apply(family: 4 | 6, epoch: string): Promise<(4 | 6)[]> {
    const { networks, ports, admitted } = wanted(family);
    const base = baseOf(family);
    const saved = await program([`${base}-save`]);
    const isNeeded = networks.length > 0;
    // A rootless namespace is ours alone and forwards from its beginning.
    const forwarding = ctx.rootless
      ? undefined
      : planForwarding(saved, chains, isNeeded, forwardingNow(ctx, family, epoch));
    if (forwarding?.turn === "off") turnForwarding(family, forwarding);
    const text = restoreText(family, chains, networks, ports, saved, { guard: forwarding?.lines ?? [], admitted });
    if (text !== "") await program([`${base}-restore`, "--noflush", "-w", "10"], text);
    if (forwarding?.turn === "on") turnForwarding(family, forwarding);
    const kept = await keepsOrigin(base, saved);
    if (!isNeeded) forgetForwarding(ctx.state, family);
    if (forwarding?.isLeft === true) {
      ctx.warn(`IPv${family} forwarding, which tscompose switched on, stays on: others have added rules to FORWARD`);
    }
    return kept ? [family] : [];
  }

  const coalescer = createCoalescer(() =>
    withLock(ctx, "firewall", async () => {
      const epoch = site.epoch();
      if (epoch === undefined) return;
      if (networksStanding(ctx.state, epoch).some((name) => findNetwork(ctx.state, name)?.settings.ipv6 === true))
        ipv6 = true;
      try {
        using _lock = ctx.rootless ? undefined : await takeLock(ctx, FORWARDING_LOCK, "the forwarding of this machine");
        const kept = [...(await apply(4, epoch)), ...(ipv6 ? await apply(6, epoch) : [])];
        if (ctx.rootless) noteFamilies(ctx, epoch, kept);
      } catch (error) {
        // Rules end with the namespace they are in: another command gave it up when its last container left.
        if (site.epoch() === epoch) throw error;
      }
    }),
  );
  return {
    ...coalescer,
    touchIpv6: () => {
      ipv6 = true;
    },
    counted: (family) => program([`${baseOf(family)}-save`, "-c"]),
  };
}
