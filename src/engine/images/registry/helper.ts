/** Runs docker-credential-NAME programs (github.com/docker/docker-credential-helpers): a verb, its input on stdin, the answer on stdout. */
import type { Kernel } from "../../../kernel/kernel.js";
import { withCallerUmask } from "../../../lib/caller.js";
import { TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";

/** What a helper answered. */
export interface HelperAnswer {
  readonly program: string;
  readonly code: number;
  readonly output: string;
}

/** Runs a helper. `TSC_REGISTRY_CREDENTIALS` when its name is no plain name or it cannot be started. */
export async function runHelper(
  kernel: Kernel,
  env: Readonly<Record<string, string | undefined>>,
  suffix: string,
  verb: "get" | "store" | "erase",
  input: string,
): Promise<HelperAnswer> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(suffix)) {
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `credential helper "${printable(suffix, 60)}" is not a plain name`, {
      kind: "invalid-input",
    });
  }
  const program = `docker-credential-${suffix}`;
  const notRun = () =>
    new TscError("TSC_REGISTRY_CREDENTIALS", `${program} cannot be run`, {
      kind: "unavailable",
      hint: "install it, or remove it from the docker configuration",
    });
  let output = "";
  const code = await new Promise<number>((resolve, reject) => {
    const child = withCallerUmask(env, () =>
      kernel.spawn(program, [verb], { stdio: ["pipe", "pipe", "ignore"], env: { ...env } }),
    );
    child.once("error", () => reject(notRun()));
    child.once("close", (exitCode) => resolve(exitCode ?? 1));
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      if (output.length < 65536) output += chunk;
    });
    // a helper that does not read its input must not end us
    child.stdin?.on("error", () => {});
    child.stdin?.end(`${input}\n`);
  });
  return { program, code, output };
}

/** Whether a failed answer says that the helper has nothing for the server. */
export function isUnknownToHelper(output: string): boolean {
  return /credentials not found|no credentials server URL/i.test(output);
}
