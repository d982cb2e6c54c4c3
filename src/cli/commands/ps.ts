/** `ps`: the project's containers. */
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { tellDownWithMachine } from "../down-with-machine.js";
import { printed, printedLines } from "../render/printed.js";
import { checkServices, isLive, projectContainers } from "../select.js";
import { usage } from "../usage.js";

const STATES = ["paused", "restarting", "removing", "running", "dead", "created", "exited"];

export const command: CommandSpec = {
  name: "ps",
  summary: "List containers",
  example: "tscompose ps --format json",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    { long: "all", short: "a", help: "Show all stopped containers (including those created by the run command)" },
    { long: "filter", value: "string", help: "Filter services by a property (supported filters: status)" },
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "no-trunc", help: "Don't truncate output" },
    { long: "orphans", default: true, help: "Include orphaned services (not declared by project)" },
    { long: "quiet", short: "q", help: "Only display IDs" },
    { long: "services", help: "Display services" },
    {
      long: "status",
      value: "list",
      complete: "state",
      help: `Filter services by status. Values: [${STATES.join(" | ")}]`,
    },
  ],
  run: ps,
};

async function ps(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const statuses = [...options.list("status"), ...statusFilter(options.text("filter"))];
  const [{ name, project }, engine] = await Promise.all([ctx.projectOrName(), ctx.engine()]);
  checkServices(project, services);
  const all = options.flag("all") || statuses.length > 0;
  const declared = project === undefined || options.flag("orphans") ? [] : Object.keys(project.services);
  const found = await projectContainers(engine, name, {
    services: services.length > 0 ? services : declared,
    all: true,
    oneOff: all ? "include" : "exclude",
  });
  tellDownWithMachine(ctx, found);
  const containers = found
    .filter((info) => all || isLive(info))
    .filter((info) => statuses.length === 0 || statuses.includes(info.state))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (options.flag("quiet")) {
    ctx.print(printedLines(containers.map(({ id }) => id)));
    return 0;
  }
  const { containerRow, PS_FORMAT } = await import("../render/container-rows.js");
  const now = Date.now();
  const rows = containers.map((info) => containerRow(info, { now, trunc: !options.flag("no-trunc") }));
  if (options.flag("services")) {
    const names = [...new Set(rows.map((row) => String(row.Service)))];
    // docker compose ends with a line end also where there is none
    ctx.print(names.length === 0 ? printed`\n` : printedLines(names));
    return 0;
  }
  const { renderRows } = await import("../render/rows.js");
  const { clientFormat } = await import("../client-config.js");
  ctx.print(renderRows(rows, PS_FORMAT, options.text("format") ?? clientFormat(ctx.env, "psFormat") ?? ""));
  return 0;
}

function statusFilter(filter: string | undefined): readonly string[] {
  if (filter === undefined || filter === "") return [];
  const equals = filter.indexOf("=");
  const problem = (message: string) => usage(message);
  if (equals < 0) throw problem("arguments to --filter should be in form KEY=VAL");
  if (filter.slice(0, equals) !== "status") throw problem(`unknown filter ${filter.slice(0, equals)}`);
  return [filter.slice(equals + 1)];
}
