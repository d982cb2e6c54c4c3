/** Finds and ends the aardvark-dns processes of a configuration folder. Knows the process, not what it serves. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, ProcessIdentity } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";

/** Written by aardvark-dns into its configuration folder. */
export const PID_FILE = "aardvark.pid";

/** The record of the server of a folder: beside it, as any foreign file inside ends the server. */
const recordOf = (dir: string): string => `${dir}.process`;

/** Where a file of a folder is written before it appears there by rename: beside the folder, as any foreign file inside ends the server. */
export const temporaryFile = (dir: string): string => `${dir}.new`;

/** The live server of a folder. */
export function dnsServer(kernel: Kernel, dir: string): ProcessIdentity | undefined {
  return kernel.recordedProcess(recordOf(dir));
}

/** Writes down the server that has just been started on a folder; undefined when there is none. */
export function recordServer(kernel: Kernel, dir: string): ProcessIdentity | undefined {
  let pid: string;
  try {
    pid = readFileSync(join(dir, PID_FILE), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const started = kernel.processIdentity(Number(pid));
  return started !== undefined && kernel.recordProcess(recordOf(dir), started) ? dnsServer(kernel, dir) : undefined;
}

/** Removes the folder of a server that has ended, and what stands beside it. */
export function forgetServer(dir: string): void {
  rmSync(temporaryFile(dir), { force: true });
  rmSync(dir, { recursive: true, force: true });
  rmSync(recordOf(dir), { force: true });
}

/** Ends a server and waits for that. */
export async function endServer(kernel: Kernel, server: ProcessIdentity): Promise<void> {
  kernel.signal(server, "SIGTERM");
  await kernel.waitForExit(server, AbortSignal.timeout(3_000)).catch(() => kernel.signal(server, "SIGKILL"));
}

/** Ends every server of a folder, whatever its pid file says; none is no error. Looks at each process there is. */
export async function endServers(kernel: Kernel, dir: string): Promise<void> {
  await Promise.all(kernel.findProcesses(["aardvark-dns"], dir).map((server) => endServer(kernel, server)));
}
