/** `alpha dry-run`: the old way to ask for `--dry-run`. */
import type { CommandSpec } from "../command.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "alpha dry-run",
  summary: "Dry run command allows you to test a command without applying changes",
  example: "tscompose --dry-run up",
  args: [{ name: "COMMAND", variadic: true }],
  options: [],
  stopAtFirstArgument: true,
  run: async (_ctx, args) => {
    throw usage(
      "alpha dry-run was replaced by the --dry-run flag",
      `run 'tscompose --dry-run ${args.join(" ") || "up"}'`,
    );
  },
};
