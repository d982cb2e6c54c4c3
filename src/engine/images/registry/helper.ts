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

/** Runs a helper. `TSC_REGISTRY_CREDENTIALS` when its name is no plain name or it cannot be started. */
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
  const output: Buffer[] = [];
  let size = 0;
  const { exitCode, errno } = await runProgram(program, [verb], {
    env,
    callerUmask: env,
    input: `${input}\n`,
    onOutput: (stream, data) => {
      if (stream === "stderr" || size >= 65536) return;
      size += data.length;
      output.push(data);
    },
  });
  if (errno !== undefined && exitCode === undefined) {
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `${program} cannot be run`, {
      kind: "unavailable",
      hint: "install it, or remove it from the docker configuration",
    });
  }
  return { program, code: exitCode ?? 1, output: Buffer.concat(output).toString("utf8") };
}

/** Whether a failed answer says that the helper has nothing for the server. */
export function isUnknownToHelper(output: string): boolean {
  return /credentials not found|no credentials server URL/i.test(output);
}
