/** What installed programs say about themselves. Judges nothing. */
import type { Kernel } from "../kernel/kernel.js";

/**
 * What a program prints when it is asked for its version, both streams, 64 KiB at most; empty for one that cannot be run, says more than that or
 * has not ended after five seconds.
 */
export async function saidVersion(
  kernel: Kernel,
  path: string,
  { args = ["--version"], env = {} }: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const options = { env, cwd: "/", timeoutMs: 5_000, stdoutLimit: 64 * 1024 };
  const result = await kernel.run(path, args, options).catch(() => undefined);
  return result === undefined || result.timedOut || result.overflow ? "" : `${result.stdout} ${result.stderr}`;
}
