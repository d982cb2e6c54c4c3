/** `version`: this program's version. Reads nothing. */
import type { CommandSpec } from "../command.js";
import { VERSION } from "../version.js";

export const command: CommandSpec = {
  name: "version",
  summary: "Show the tscompose version information",
  example: "tscompose version --short",
  args: [],
  options: [
    { long: "format", short: "f", value: "string", help: "Format the output. Values: [pretty | json]" },
    { long: "short", help: "Shows only the version number" },
  ],
  run: async (ctx, _args, options) => {
    if (options.flag("short")) ctx.print(`${VERSION}\n`);
    else if (options.text("format") === "json") ctx.print(`{"version":${JSON.stringify(`v${VERSION}`)}}\n`);
    else ctx.print(`${versionText()}\n`);
    return 0;
  },
};

/** The line that `--version` prints as well. */
export function versionText(): string {
  return `tscompose version v${VERSION}`;
}
