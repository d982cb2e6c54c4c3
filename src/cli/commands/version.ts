/** `version`: this program's version; behind the shim that of the docker compose it stands for. Reads nothing but for a template. */
import { COMPOSE_VERSION } from "../../plan/labels.js";
import type { CommandSpec } from "../command.js";
import { joined, type Printed, printed, printedJson } from "../render/printed.js";
import { VERSION } from "../version.js";

export const command: CommandSpec = {
  name: "version",
  summary: "Show the tscompose version information",
  example: "tscompose version --short",
  args: [],
  options: [
    { long: "format", short: "f", value: "string", help: "Format the output: pretty, json, or a Go template" },
    { long: "short", help: "Shows only the version number" },
  ],
  run: async (ctx, _args, options) => {
    const version = ctx.globals.shim ? COMPOSE_VERSION : VERSION;
    const format = options.text("format") ?? "";
    if (options.flag("short")) ctx.print(printed`${version}\n`);
    else if (format === "json") ctx.print(joined([printedJson({ version: `v${version}` }), printed`\n`]));
    else if (format.includes("{{")) {
      const [{ compileTemplate }, { dockerVersion }] = await Promise.all([
        import("../render/template.js"),
        import("../render/docker-info.js"),
      ]);
      ctx.print(joined([compileTemplate(format)(dockerVersion(await (await ctx.engine()).info())), printed`\n`]));
    } else ctx.print(versionText(ctx.globals.shim));
    return 0;
  },
};

/** The whole line that `--version` prints as well. */
export function versionText(shim: boolean): Printed {
  return shim
    ? printed`Docker Compose version v${COMPOSE_VERSION}, as tscompose v${VERSION} understands it\n`
    : printed`tscompose version v${VERSION}\n`;
}
