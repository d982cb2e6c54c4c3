/** Finds and ends the aardvark-dns processes of a configuration folder. Knows the process, not what it serves. */
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Kernel, ProcessIdentity } from "../../kernel/kernel.js";

/** Written by aardvark-dns into its configuration folder. */
export const PID_FILE = "aardvark.pid";

/** The process when it lives and runs aardvark-dns on exactly this folder. */
function identify(kernel: Kernel, pid: number, dir: string): ProcessIdentity | undefined {
  const identity = kernel.processIdentity(pid);
  if (identity === undefined) return undefined;
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return /\/aardvark-dns( \(deleted\))?$/.test(program) && argv.includes(dir) ? identity : undefined;
  } catch {
    // it ended meanwhile, or belongs to somebody else
    return undefined;
  }
}

/** The live server of a folder by its pid file; start time, program and command line must agree. */
export function dnsServer(kernel: Kernel, dir: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, PID_FILE), "utf8");
  } catch {
    return undefined;
  }
  const pid = Number(text.trim());
  return Number.isInteger(pid) && pid > 1 ? identify(kernel, pid, dir) : undefined;
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
