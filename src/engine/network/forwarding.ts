/**
 * The host's forwarding switch. Containers need it on, and then the host routes for anybody: what we switched on is guarded by FORWARD's
 * policy DROP and goes back with the last network of the last engine. The record of what was is a chain in the kernel: written before the
 * switch, seen by every engine of this namespace, and gone after a reboot as the switch is.
 */

import { hasSetting, setting, settingsIn, writeSetting } from "../../kernel/proc.js";
import type { EngineContext } from "../context.js";
import { isForwardingNoted, type NetworkRecord, noteForwardingOff } from "../state/networks.js";
import type { Chains } from "./rules.js";

/** Held while one engine looks at the switch and turns it; in /run, which only root writes. */
export const FORWARDING_LOCK = "/run/tscompose-forwarding.lock";

type Family = 4 | 6;

const SWITCH = { 4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding" } as const;
const CONF6 = "net/ipv6/conf";
const BRIDGED = "-m physdev --physdev-is-bridged";

/** What the kernel says before an update. */
export interface ForwardingNow {
  readonly isOn: boolean;
  /** It was off before something on our behalf (a CNI plugin) switched it on. */
  readonly isNoted: boolean;
  /** Interfaces that stop believing routers when IPv6 forwarding goes on (`accept_ra` 1). */
  readonly hearing: readonly string[];
  /** FORWARD also sees what bridges carry between their ports. */
  readonly seesBridged: boolean;
}

/** Lines for the filter table and what to write to the switch: `off` before the rules change, `on` after. */
export interface ForwardingPlan {
  readonly lines: readonly string[];
  readonly turn: "on" | "off" | undefined;
  /** Interfaces whose `accept_ra` goes from 1 to 2 (on) or back (off). */
  readonly hearing: readonly string[];
  /** Others began to forward after us: the switch stays as it is. */
  readonly isLeft: boolean;
}

const NOTHING: ForwardingPlan = { lines: [], turn: undefined, hearing: [], isLeft: false };

/** Decides from `saved` (what iptables-save printed) and `now`; `wanted` = an engine's own networks need forwarding. Pure. */
export function planForwarding(saved: string, own: Chains, wanted: boolean, now: ForwardingNow): ForwardingPlan {
  const lines = saved.split("\n").map((line) => line.trimEnd());
  const filter = lines.slice(lines.indexOf("*filter"));
  const record = /^:(TSC-WAS-OFF-(ACCEPT|DROP)-(\d+)) /m.exec(saved);
  const foreign = filter.filter((line) => /^-A FORWARD (?!.*-j TSC-)/.test(line)).length;
  const bridgedJump = (chain: string): string => `FORWARD ${BRIDGED} -j ${chain}`;
  if (wanted) {
    if (record !== null) return { ...NOTHING, turn: now.isOn ? undefined : "on" };
    if (now.isOn && !now.isNoted) return NOTHING;
    const policy = /^:FORWARD (ACCEPT|DROP) /m.exec(filter.join("\n"))?.[1] ?? "ACCEPT";
    const chain = `TSC-WAS-OFF-${policy}-${foreign}`;
    const carries = policy === "ACCEPT" && now.seesBridged;
    return {
      ...NOTHING,
      lines: [
        ":FORWARD DROP [0:0]",
        `:${chain} - [0:0]`,
        `-A ${chain} -j ACCEPT`,
        // behind ACCEPT: these tell, they match nothing
        ...now.hearing.map((name) => `-A ${chain} -i ${name} -j RETURN`),
        ...(carries ? [`-A ${bridgedJump(chain)}`] : []),
      ],
      turn: "on",
      hearing: now.hearing,
    };
  }
  const others = filter.some((line) => /^:TSC-[0-9a-f]{8}-FWD /.test(line) && !line.startsWith(`:${own.forward} `));
  if (record === null || others) return NOTHING;
  const [, chain = "", policy = "", before = ""] = record;
  const removal = [
    `:${chain} - [0:0]`,
    ...(lines.includes(`-A ${bridgedJump(chain)}`) ? [`-D ${bridgedJump(chain)}`] : []),
    `-X ${chain}`,
  ];
  if (foreign > Number(before)) return { ...NOTHING, lines: removal, isLeft: true };
  return {
    ...NOTHING,
    lines: [`:FORWARD ${policy} [0:0]`, ...removal],
    turn: "off",
    hearing: lines.flatMap((line) => (line.startsWith(`-A ${chain} -i `) ? (line.split(" ")[3] ?? []) : [])),
  };
}

function isOn(family: Family): boolean {
  return (setting(SWITCH[family]) ?? "0") !== "0";
}

const acceptsRouters = (name: string): string => `${CONF6}/${name}/accept_ra`;

function hearingInterfaces(): string[] {
  return settingsIn(CONF6).filter(
    (name) =>
      /^[A-Za-z0-9_.-]+$/.test(name) &&
      !["all", "default", "lo"].includes(name) &&
      setting(acceptsRouters(name)) === "1" &&
      setting(`${CONF6}/${name}/disable_ipv6`) === "0",
  );
}

/** What `planForwarding` needs to know of this namespace. */
export function forwardingNow(ctx: EngineContext, family: Family, epoch: string): ForwardingNow {
  const on = isOn(family);
  return {
    isOn: on,
    isNoted: isForwardingNoted(ctx.state, family, epoch),
    hearing: family === 6 && !on && hasSetting(CONF6) ? hearingInterfaces() : [],
    seesBridged: hasSetting("net/bridge"),
  };
}

/** Writes the switch. Routers that an interface listened to stay its routers (`accept_ra` 2). */
export function turnForwarding(family: Family, { turn, hearing }: ForwardingPlan): void {
  if (turn === undefined || !hasSetting(SWITCH[family])) return;
  const write = (): void => writeSetting(SWITCH[family], turn === "on" ? "1" : "0");
  if (turn === "off") write();
  for (const name of hearing) {
    if (hasSetting(acceptsRouters(name))) writeSetting(acceptsRouters(name), turn === "on" ? "2" : "1");
  }
  if (turn === "on") write();
}

/** Before a plugin may switch forwarding on: remembers in the store which of a network's families were off. */
export function noteForwarding(ctx: EngineContext, network: NetworkRecord, epoch: string): void {
  for (const family of [4, 6] as const) {
    const has = network.settings.subnets.some(({ subnet }) => subnet.includes(":") === (family === 6));
    if (has && hasSetting(SWITCH[family]) && !isOn(family)) noteForwardingOff(ctx.state, family, epoch);
  }
}
