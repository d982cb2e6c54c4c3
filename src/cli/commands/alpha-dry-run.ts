/** `alpha dry-run`: the old way to ask for `--dry-run`. */
import { TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "alpha dry-run",
  summary: "Dry run command allows you to test a command without applying changes",
  example: "tscompose --dry-run up",
  args: [{ name: "COMMAND", variadic: true }],
  options: [],
  stopAtFirstArgument: true,
  run: async (_ctx, args) => {
    throw new TscError("TSC_USAGE", "alpha dry-run was replaced by the --dry-run flag", {
      kind: "invalid-input",
      hint: `run 'tscompose --dry-run ${args.join(" ") || "up"}'`,
    });
  },
};
