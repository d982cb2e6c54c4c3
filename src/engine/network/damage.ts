/**
 * Tells cheaply whether the network's helper processes need repair, so that commands which have nothing to do with networks load
 * none of its code. Reads records and changes nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { hasEndpoints } from "../state/endpoints.js";
import { dnsServer, PID_FILE, temporaryFile } from "./dns-server.js";
import { forwarderEpoch, hasClosedPorts, runningForwarder } from "./forwarder-record.js";

/** A name server, forwarder or uplink that should run and does not, a port that is not open, a file of names half written, or a forwarder or rootless namespace that nobody needs. */
export function isNetworkDamaged(ctx: Pick<EngineContext, "paths" | "kernel" | "state" | "rootless">): boolean {
  const { network } = ctx.paths;
  if (!existsSync(network)) return false;
  const isBroken = (name: string): boolean => {
    const dir = join(network, "dns", name);
    const isDead = existsSync(join(dir, PID_FILE)) && dnsServer(ctx.kernel, dir) === undefined;
    return isDead || existsSync(temporaryFile(dir));
  };
  const isIdle = (): boolean => !hasEndpoints(ctx.state, ctx.kernel.bootId());
  if (isBroken("main") || isBroken("internal")) return true;
  const isForwarding = forwarderEpoch(ctx) !== undefined;
  if (isForwarding && (runningForwarder(ctx) === undefined || hasClosedPorts(ctx) || isIdle())) return true;
  if (!ctx.rootless) return false;
  return isUplinkDead(ctx) || (existsSync(join(network, "rootless-netns")) && isIdle());
}

function isUplinkDead({ kernel, paths }: Pick<EngineContext, "paths" | "kernel">): boolean {
  try {
    return !kernel.isAlive(JSON.parse(readFileSync(join(paths.network, "uplink.json"), "utf8")) as ProcessIdentity);
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
