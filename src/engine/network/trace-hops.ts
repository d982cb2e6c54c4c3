/** Judges each hop of a published port's way by what was read of it. Pure. */
import { isIP } from "node:net";
import type { NetworkLink } from "../../kernel/kernel.js";
import type { NamedProcess, WaitingSocket } from "../../kernel/sockets.js";
import type { EndpointRecord, ReservedPort } from "../state/endpoints.js";
import type { NetworkRecord } from "../state/networks.js";
import { bridgeFault, hostEndOf, linkFault } from "./link-faults.js";
import { endText, portText } from "./ports.js";
import { admitRule, type Chains, jumpRule, publishRule, type RulePort } from "./rules.js";
import type { TraceHop } from "./trace-types.js";

/** Who holds a socket; undefined when that is not for us to see. */
export type HolderOf = (socket: WaitingSocket) => NamedProcess | undefined;

const AGAIN = "`tscompose up -d` makes it again";

const processText = ({ pid, program }: NamedProcess): string => `${program} (pid ${pid})`;
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");

/** The host's socket, which the forwarder should hold. */
export function hostHop(
  port: ReservedPort,
  sockets: readonly WaitingSocket[],
  holderOf: HolderOf,
  forwarder: NamedProcess | undefined,
): TraceHop {
  const hostIp = port.hostIp || "0.0.0.0";
  const name = portText(port);
  const hop = { kind: "host", name } as const;
  const socket = sockets.find((one) => one.port === port.hostPort && one.address === hostIp);
  if (socket === undefined)
    return {
      ...hop,
      state: "failed",
      detail: "nobody listens there",
      advice: `ports open again with the next command; ${AGAIN}`,
    };
  const holder = holderOf(socket);
  if (holder === undefined) return { ...hop, state: "unknown", detail: "somebody listens whom this user may not see" };
  if (forwarder !== undefined && holder.pid !== forwarder.pid)
    return {
      ...hop,
      state: "failed",
      detail: `held by ${processText(holder)}`,
      advice: "stop it, or publish another port",
    };
  return { ...hop, state: "ok", detail: `${processText(holder)} listens` };
}

/** The process that carries bytes between host and container. */
export function forwarderHop(forwarder: NamedProcess | undefined, name: string, to: string): TraceHop {
  if (forwarder === undefined)
    return { kind: "forwarder", name, state: "failed", detail: "it does not run", advice: AGAIN };
  return { kind: "forwarder", name, state: "ok", detail: `${processText(forwarder)} leads to ${to}` };
}

/** A line of `iptables-save -c` by its rule; undefined when the rule is not there. */
function countersOf(counted: string, rule: string): TraceHop["counters"] | undefined {
  for (const line of counted.split("\n")) {
    const match = /^\[(\d+):(\d+)\] (.*?)\s*$/.exec(line);
    if (match?.[3] === rule) return { packets: Number(match[1]), bytes: Number(match[2]) };
  }
  return undefined;
}

function ruleHop(counted: string, name: string, rules: readonly string[], detail: string): TraceHop {
  const found = rules.map((rule) => countersOf(counted, rule));
  const missing = rules.find((_, index) => found[index] === undefined);
  const hop = { kind: "rule", name } as const;
  if (missing !== undefined) return { ...hop, state: "failed", detail: `missing: ${missing}`, advice: AGAIN };
  const counters = found.at(-1);
  return { ...hop, state: "ok", detail, ...(counters === undefined ? {} : { counters }) };
}

/** Whether something drops what is forwarded before our jump is reached: others' rules, word for word. */
function othersBefore(counted: string, jump: string): readonly string[] {
  const forward = counted.split("\n").flatMap((line) => /^\[\d+:\d+\] (-A FORWARD .*?)\s*$/.exec(line)?.[1] ?? []);
  const at = forward.indexOf(jump);
  return forward.slice(0, Math.max(at, 0)).filter((rule) => / -j (DROP|REJECT)\b/.test(rule));
}

/** The packet filter: where the port is led to the container, and where that is let through. `isForwarding`: the kernel's switch. */
export function ruleHops(
  counted: string,
  chains: Chains,
  port: RulePort,
  bridge: string,
  isForwarding: boolean,
): readonly TraceHop[] {
  const family = port.containerIp.includes(":") ? 6 : 4;
  const nat = (base: string): string => jumpRule(family, chains, "nat", base);
  const forward = jumpRule(family, chains, "filter", "FORWARD");
  const to = endText(port.containerIp, port.containerPort, port.protocol);
  const led = ruleHop(
    counted,
    `nat ${chains.publish}`,
    [nat("PREROUTING"), nat("OUTPUT"), publishRule(chains, port)],
    `leads to ${to}`,
  );
  const admitted = ruleHop(
    counted,
    `filter ${chains.forward}`,
    [forward, admitRule(chains, bridge)],
    `lets it onto ${bridge}`,
  );
  if (admitted.state === "failed") return [led, admitted];
  if (!isForwarding) {
    const advice = `sysctl net.ipv${family}.${family === 4 ? "ip_forward" : "conf.all.forwarding"}=1`;
    return [
      led,
      { ...admitted, state: "failed", detail: `IPv${family} forwarding is off: only this machine reaches it`, advice },
    ];
  }
  const [other] = othersBefore(counted, forward);
  if (other === undefined) return [led, admitted];
  return [led, { ...admitted, state: "unknown", detail: `behind a rule of others: ${other}` }];
}

/** The bridge of the container's network. */
export function bridgeHop(network: NetworkRecord, links: ReadonlyMap<string, NetworkLink>): TraceHop {
  const { bridge } = network.settings;
  const fault = bridgeFault(network, links);
  const addresses = links.get(bridge)?.addresses.filter((address) => !address.startsWith("fe80:")) ?? [];
  if (fault !== undefined) return { kind: "bridge", name: bridge, state: "failed", detail: fault, advice: AGAIN };
  return { kind: "bridge", name: bridge, state: "ok", detail: `up, ${addresses.join(" ")} (network ${network.name})` };
}

/** The link between bridge and container. */
export function linkHop(record: EndpointRecord, bridge: string, links: ReadonlyMap<string, NetworkLink>): TraceHop {
  const end = hostEndOf(record, bridge);
  const hop = { kind: "link", name: `${end ?? "?"} to ${record.cni.ifName}` } as const;
  if (end === undefined) return { ...hop, state: "unknown", detail: "its plugin does not say which it is" };
  const fault = linkFault(record, bridge, links);
  if (fault !== undefined) return { ...hop, state: "failed", detail: fault, advice: AGAIN };
  return { ...hop, state: "ok", detail: `up, on ${bridge}` };
}

/** What waits in the container; `ip` is "" where every address will do. */
export function containerHop(
  { ip, port, protocol }: { readonly ip: string; readonly port: number; readonly protocol: string },
  sockets: readonly WaitingSocket[],
  holderOf: HolderOf,
): TraceHop {
  const name = endText(ip === "" ? "*" : ip, port, protocol);
  const hop = { kind: "container", name } as const;
  const onPort = sockets.filter((socket) => socket.port === port);
  const wildcards = isIP(ip) === 6 ? ["::"] : ["0.0.0.0", "::"];
  const fits = ({ address }: WaitingSocket): boolean =>
    ip === "" || plain(address) === ip || wildcards.includes(address);
  const socket = onPort.find(fits);
  if (socket !== undefined) {
    const holder = holderOf(socket);
    return {
      ...hop,
      state: "ok",
      detail: `${holder === undefined ? "a program" : processText(holder)} listens on ${plain(socket.address)}`,
    };
  }
  if (onPort.length > 0) {
    const where = [...new Set(onPort.map(({ address }) => plain(address)))].join(", ");
    const detail = `a program listens on ${where} alone`;
    return {
      ...hop,
      state: "failed",
      detail,
      advice: `tell the program in the container to listen on ${isIP(ip) === 6 ? "::" : "0.0.0.0"}`,
    };
  }
  const others = [...new Set(sockets.map((one) => one.port))].toSorted((a, b) => a - b).slice(0, 10);
  const also = others.length === 0 ? "on no other port either" : `on ${others.join(", ")} instead`;
  const detail = `nothing in the container listens on port ${port}/${protocol}; ${also}`;
  const advice =
    others.length === 0
      ? "see its log: the program may not be ready"
      : `publish the port that it uses: HOST:${others[0]}`;
  return { ...hop, state: "failed", detail, advice };
}
