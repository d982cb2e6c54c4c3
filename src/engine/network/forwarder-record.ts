/** Where the forwarder's process is written down, and whether it lives. Small: every command asks. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import type { EngineContext } from "../context.js";

/** The folder that the forwarder works in. */
export const forwarderFolder = ({ paths }: Pick<EngineContext, "paths">): string => join(paths.network, "portd");
/** Stands while ports should be open: names the namespace that the process was started for. */
export const epochFile = (ctx: Pick<EngineContext, "paths">): string => join(forwarderFolder(ctx), "epoch");

/** The forwarder that lives, by the record that it wrote itself. */
export function runningForwarder(ctx: Pick<EngineContext, "paths" | "kernel">): ProcessIdentity | undefined {
  return ctx.kernel.recordedProcess(join(forwarderFolder(ctx), ".lock"));
}

/** The namespace that open ports belong to; undefined when none should be open. */
export function forwarderEpoch(ctx: Pick<EngineContext, "paths">): string | undefined {
  try {
    return readFileSync(epochFile(ctx), "utf8");
  } catch {
    return undefined;
  }
}

/** Stands while ports that containers publish are not open: each command tries them again. */
const closedFile = (ctx: Pick<EngineContext, "paths">): string => join(forwarderFolder(ctx), "closed");

/** Whether some port could not be opened when that was tried last. */
export const hasClosedPorts = (ctx: Pick<EngineContext, "paths">): boolean => existsSync(closedFile(ctx));

/** Remembers whether some port could not be opened. */
export function noteClosedPorts(ctx: Pick<EngineContext, "paths">, some: boolean): void {
  if (some) writeFileSync(closedFile(ctx), "", { mode: 0o600 });
  else rmSync(closedFile(ctx), { force: true });
}
