/** `doctor`: what is missing on this machine and the command that brings it. Changes nothing. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "doctor",
  summary: "Check this machine for what the engine needs",
  example: "tscompose doctor",
  args: [],
  options: [{ long: "format", value: "string", help: "json for machines" }],
  run: async (ctx, _args, options) => {
    const info = await (await ctx.engine()).info();
    const { missing, warnings } = info;
    if (options.text("format") === "json") ctx.print(`${JSON.stringify({ missing, warnings })}\n`);
    else {
      const found = info.components.map(({ name, version }) => `ok       ${name} ${version}`.trimEnd());
      const lacking = missing.map(
        ({ name, why, install }) => `missing  ${name}: ${why}\n         install with: ${install}`,
      );
      const notes = warnings.map((text) => `warning  ${text}`);
      ctx.print(`${[...found, ...lacking, ...notes].join("\n")}\n`);
    }
    return missing.length === 0 ? 0 : 1;
  },
};
