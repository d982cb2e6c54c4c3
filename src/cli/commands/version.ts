/** `version`: this program's version. Reads nothing. */
import type { CommandSpec } from "../command.js";
import { joined, type Printed, printed, printedJson } from "../render/printed.js";
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
    if (options.flag("short")) ctx.print(printed`${VERSION}\n`);
    else if (options.text("format") === "json")
      ctx.print(joined([printedJson({ version: `v${VERSION}` }), printed`\n`]));
    else ctx.print(versionText());
    return 0;
  },
};

/** The whole line that `--version` prints as well. */
export function versionText(): Printed {
  return printed`tscompose version v${VERSION}\n`;
}
