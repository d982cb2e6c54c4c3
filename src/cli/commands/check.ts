/** `check`: lints the project; every problem with a code and a place. */
import { basename, dirname, join } from "node:path";
import type { Finding } from "../../compose/index.js";
import { errnoOf } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";
import { loadOptions } from "../load-options.js";

export const command: CommandSpec = {
  name: "check",
  summary: "Find mistakes and risks in the compose file",
  example: "tscompose check --format sarif > check.sarif",
  args: [],
  options: [
    {
      long: "format",
      value: "string",
      default: "text",
      choices: ["text", "json", "sarif"],
      help: "Format the output. Values: [text | json | sarif]",
    },
    {
      long: "fail-on",
      value: "string",
      default: "error",
      choices: ["error", "warning", "note", "never"],
      help: "Exit with 1 from this level on",
    },
    { long: "ignore", value: "csv", placeholder: "CODE", help: "Leave out findings with these codes" },
    { long: "list-rules", help: "Print every rule and exit" },
    { long: "rootless", help: "Check what works without root (default: as this user)" },
    { long: "quiet", short: "q", help: "Only set the exit code" },
  ],
  run: async (ctx, _args, options) => {
    const { checkProject, LEVELS, loadProject, RULES } = await import("../../compose/index.js");
    const render = await import("../render/findings.js");
    if (options.flag("list-rules")) {
      ctx.print(render.rulesText(RULES));
      return 0;
    }
    const { existsSync, realpathSync } = await import("node:fs");
    const { unprivilegedPortStart } = await import("../../engine/port-start.js");
    const { driverFacts } = await import("../../engine/network/drivers/index.js");
    const ignored = options.list("ignore");
    let findings: readonly Finding[];
    try {
      const project = await loadProject({
        ...loadOptions(ctx),
        warn: () => undefined,
        allProfiles: ctx.globals.profiles.length === 0,
        allResources: true,
      });
      findings = checkProject(
        {
          project,
          rootless: options.given("rootless")
            ? options.flag("rootless")
            : ctx.env["TSCOMPOSE_ID_MAPPING"] !== undefined || process.getuid?.() !== 0,
          unprivilegedPort: unprivilegedPortStart() ?? 1024,
          networkDriver: driverFacts,
          exists: existsSync,
          realPath: realPathIn(realpathSync),
        },
        ignored,
      );
    } catch (error) {
      // a project that does not load has its problems as findings too
      const broken = render.findingsOfError(error);
      if (broken === undefined) throw error;
      findings = broken;
    }
    if (!options.flag("quiet"))
      ctx.print(render.formatFindings(findings, RULES, options.text("format") ?? "text", ctx.cwd));
    const limit = options.text("fail-on") ?? "error";
    const levels: readonly string[] = LEVELS;
    // "never" is no level: indexOf is -1 and nothing fails
    const failing = levels.slice(0, levels.indexOf(limit) + 1);
    return findings.some(({ level }) => failing.includes(level)) ? 1 : 0;
  },
};

/** Of what is not there yet: its name in the folder that would get it. */
function realPathIn(realpath: (path: string) => string): (path: string) => string {
  return function real(path: string): string {
    try {
      return realpath(path);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return path === "/" ? path : join(real(dirname(path)), basename(path));
    }
  };
}
