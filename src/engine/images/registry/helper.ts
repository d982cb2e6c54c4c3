/** Runs docker-credential-NAME programs (github.com/docker/docker-credential-helpers): a verb, its input on stdin, the answer on stdout. */

import { TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import { runProgram } from "../../../lib/program.js";

/** What a helper answered. */
export interface HelperAnswer {
  readonly program: string;
  readonly code: number;
  readonly output: string;
}

/** A helper may ask its person for a password. */
const TIMEOUT_MS = 300_000;
/** Names and tokens are far shorter. */
const MAX_OUTPUT = 256 * 1024;

/** Runs a helper. `TSC_REGISTRY_CREDENTIALS` when its name is no plain name, it cannot be started, does not end or says too much. */
export async function runHelper(
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
  const { exitCode, errno, stopped, stdout } = await runProgram(program, [verb], {
    env,
    callerUmask: env,
    input: `${input}\n`,
    timeoutMs: TIMEOUT_MS,
    maxOutput: MAX_OUTPUT,
  });
  const failed = (why: string, hint: string): TscError =>
    new TscError("TSC_REGISTRY_CREDENTIALS", `${program} ${why}`, { kind: "unavailable", hint });
  if (stopped === "time") throw failed("does not answer", `run \`${program} list\` to see what it waits for`);
  if (stopped === "output") throw failed("answers without end", `run \`${program} list\` to see what it says`);
  if (errno !== undefined && exitCode === undefined)
    throw failed("cannot be run", "install it, or remove it from the docker configuration");
  return { program, code: exitCode ?? 1, output: stdout };
}

/** Whether a failed answer says that the helper has nothing for the server. */
export function isUnknownToHelper(output: string): boolean {
  return /credentials not found|no credentials server URL/i.test(output);
}
