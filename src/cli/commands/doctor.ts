/** `doctor`: what is missing on this machine and the command that brings it. Changes nothing. */
import type { SystemInfo } from "../../engine/api.js";
import type { CommandSpec } from "../command.js";
import { joined, type Printed, printed, printedJson, printedLines } from "../render/printed.js";

export const command: CommandSpec = {
  name: "doctor",
  summary: "Check this machine for what the engine needs",
  example: "tscompose doctor",
  args: [],
  options: [{ long: "format", value: "string", help: "json for machines" }],
  run: async (ctx, _args, options) => {
    const info = await (await ctx.engine()).info();
    const { missing, warnings } = info;
    if (options.text("format") === "json") ctx.print(joined([printedJson({ missing, warnings }), printed`\n`]));
    else ctx.print(doctorText(info));
    return missing.some(({ optional }) => optional !== true) ? 1 : 0;
  },
};

/** One line for each part, and one command for all that is missing. */
export function doctorText({ components, missing, warnings, rootless }: SystemInfo): Printed {
  const packages = [...new Set(missing.map(({ install }) => install.replace(/^apt-get install /, "")))];
  const install = `apt-get install ${packages.join(" ")}`;
  return printedLines([
    ...components.map(({ name, version }) => `ok        ${name} ${version}`.trimEnd()),
    ...missing.map(({ name, why, optional }) => `${optional === true ? "optional" : "missing "}  ${name}: ${why}`),
    ...warnings.map((text) => `warning   ${text}`),
    ...(missing.length === 0 ? [] : ["", "Install what is missing with:", `  ${rootless ? "sudo " : ""}${install}`]),
  ]);
}
