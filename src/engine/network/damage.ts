/**
 * Tells cheaply whether the network's helper processes need repair, so that commands which have nothing to do with networks load
 * none of its code. Reads pid files and changes nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";

/** A name server or uplink that should run and does not, or a rootless namespace that nobody is in. */
export function isNetworkDamaged(ctx: Pick<EngineContext, "paths" | "kernel" | "state" | "rootless">): boolean {
  const { network } = ctx.paths;
  if (!existsSync(network)) return false;
  const isDead = (file: string, program: string, pidOf: (text: string) => number): boolean => {
    try {
      const pid = pidOf(readFileSync(join(network, file), "utf8"));
      if (!Number.isInteger(pid) || pid < 2 || ctx.kernel.processIdentity(pid) === undefined) return true;
      // pids are used again
      return !readFileSync(`/proc/${pid}/comm`, "utf8").startsWith(program);
    } catch (error) {
      if (error instanceof SyntaxError) return true;
      if (errnoOf(error) === "ENOENT") return false;
      if (errnoOf(error) === "ESRCH") return true;
      throw error;
    }
  };
  const inDns = ["main", "internal"].some((name) => isDead(`dns/${name}/aardvark.pid`, "aardvark-dns", Number));
  if (inDns || !ctx.rootless) return inDns;
  if (isDead("uplink.json", "", (text) => Number((JSON.parse(text) as { pid?: unknown }).pid))) return true;
  return existsSync(join(network, "rootless-netns")) && !hasEndpoints(ctx);
}

function hasEndpoints(ctx: Pick<EngineContext, "kernel" | "state">): boolean {
  const sql = "SELECT 1 FROM endpoints WHERE boot_id = ? AND json_extract(cni, '$.phase') <> 'reserved' LIMIT 1";
  return ctx.state.get(sql, ctx.kernel.bootId()) !== undefined;
}
