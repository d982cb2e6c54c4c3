/** Whether a process gets a terminal, as docker compose decides it. */
import { TscError } from "../lib/errors.js";
import type { ParsedOptions } from "./command.js";
import type { CliContext } from "./context.js";

/**
 * What `--tty` and `--no-tty` say; without a word, whether standard input and output both are terminals. `TSC_USAGE` when both are given.
 */
export function chooseTty({ isTty }: Pick<CliContext, "isTty">, options: ParsedOptions): boolean {
  const given = options.given("tty");
  if (given && options.given("no-tty")) {
    throw new TscError("TSC_USAGE", "--tty and --no-tty can't be used together", { kind: "invalid-input" });
  }
  if (given) return options.flag("tty");
  if (options.given("no-tty")) return !options.flag("no-tty");
  return isTty.stdin && isTty.stdout;
}

/** A terminal whose input is a pipe would hang or garble: `TSC_STDIN_NOT_TTY`, before anything is started. Rule and words are docker's. */
export function checkTty(
  { isTty }: Pick<CliContext, "isTty">,
  mode: { readonly tty: boolean; readonly stdin: boolean },
): void {
  if (!mode.tty || !mode.stdin || isTty.stdin) return;
  const message = "cannot attach stdin to a TTY-enabled container because stdin is not a terminal";
  throw new TscError("TSC_STDIN_NOT_TTY", message, {
    kind: "invalid-input",
    hint: "leave out --tty (-t), or use -T",
  });
}
