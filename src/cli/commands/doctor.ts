/** `doctor`: what is missing on this machine and the command that brings it. Changes nothing. */
import type { SecurityFinding, SystemInfo } from "../../engine/api.js";
import type { CommandSpec } from "../command.js";
import { joined, type Printed, printed, printedJson, printedLines } from "../render/printed.js";

export const command: CommandSpec = {
  name: "doctor",
  summary: "Check this machine for what the engine needs",
  example: "tscompose doctor --security",
  args: [],
  options: [
    { long: "format", value: "string", help: "json for machines" },
    { long: "json", help: "The same as --format json" },
    { long: "security", help: "Say which confinement this machine gives containers, and what is missing" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const isJson = options.flag("json") || options.text("format") === "json";
    if (options.flag("security")) {
      const findings = await engine.security();
      ctx.print(isJson ? joined([printedJson(findings), printed`\n`]) : securityText(findings));
      return findings.some(({ state }) => state === "missing") ? 1 : 0;
    }
    const info = await engine.info();
    const { missing, warnings } = info;
    if (isJson) ctx.print(joined([printedJson({ missing, warnings }), printed`\n`]));
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

/** One line for each finding, what to do about it below. */
export function securityText(findings: readonly SecurityFinding[]): Printed {
  const words = { ok: "ok       ", advice: "advice   ", missing: "missing  " };
  return printedLines(
    findings.flatMap(({ name, state, value, why, advice }) => [
      `${words[state]} ${name}: ${value} (${why})`,
      ...(advice === undefined ? [] : [`           → ${advice}`]),
    ]),
  );
}
