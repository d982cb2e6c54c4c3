/**
 * Rules of a rootless namespace by which the forwarder keeps clients' addresses (native/portd/origin.c): connections that it marks are
 * remembered, and their answers are marked so that they are led to it instead of to the uplink.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.js";
import { forwarderFolder } from "./forwarder-record.js";

/** Of the forwarder's sockets, and of answers to them; native/portd/origin.c has the same. */
const OURS = "0x54534301";
const ANSWER = "0x54534302";

/** As iptables-save prints them. */
const RULES = [
  `-A PREROUTING -m connmark --mark ${OURS} -m conntrack --ctdir REPLY -j MARK --set-xmark ${ANSWER}/0xffffffff`,
  `-A OUTPUT -m mark --mark ${OURS} -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff`,
] as const;

/** Input for `iptables-restore --noflush` that adds what `saved` (of iptables-save) lacks; empty when nothing does. */
export function originText(saved: string): string {
  const lines = new Set(saved.split("\n").map((line) => line.trimEnd()));
  const missing = RULES.filter((rule) => !lines.has(rule));
  return missing.length === 0 ? "" : `${["*mangle", ...missing, "COMMIT"].join("\n")}\n`;
}

const fileOf = (ctx: Pick<EngineContext, "paths">): string => join(ctx.paths.network, "origin");

/** Writes down for which families the namespace has the rules. */
export function noteFamilies(ctx: Pick<EngineContext, "paths">, epoch: string, families: readonly (4 | 6)[]): void {
  writeFileSync(fileOf(ctx), `${epoch} ${families.join("")}`, { mode: 0o600 });
}

/** The families that were noted for this namespace. */
export function keptFamilies(ctx: Pick<EngineContext, "paths">, epoch: string | undefined): (4 | 6)[] {
  try {
    const [noted, families = ""] = readFileSync(fileOf(ctx), "utf8").split(" ");
    return noted === epoch ? ([4, 6] as const).filter((family) => families.includes(String(family))) : [];
  } catch {
    return [];
  }
}

const keptFile = (ctx: Pick<EngineContext, "paths">): string => join(forwarderFolder(ctx), "kept");

/** Writes down for which families open ports show clients' addresses: the rules are there, and the forwarder can. */
export function noteKept(ctx: Pick<EngineContext, "paths">, families: readonly (4 | 6)[]): void {
  writeFileSync(keptFile(ctx), families.join(""), { mode: 0o600 });
}

/** What `doctor` says when ports are open that do not show clients' addresses; undefined when they do, or none are open. */
export function originWarning(ctx: Pick<EngineContext, "paths">): string | undefined {
  let families: string;
  try {
    families = readFileSync(keptFile(ctx), "utf8");
  } catch {
    return undefined;
  }
  return families.includes("4")
    ? undefined
    : "published ports show their network's gateway instead of the client's address: the kernel lacks connmark matches or policy routing";
}
