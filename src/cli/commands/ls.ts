/** `ls`: every project of this engine. Needs no compose file. */
import type { ContainerInfo } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { tellDownWithMachine } from "../down-with-machine.js";
import { joined, printed, printedJson, printedLines } from "../render/printed.js";
import { isLive } from "../select.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "ls",
  summary: "List running compose projects",
  example: "tscompose ls --all",
  args: [],
  options: [
    { long: "all", short: "a", help: "Show all stopped Compose projects" },
    { long: "filter", value: "list", placeholder: "filter", help: "Filter output based on conditions provided" },
    { long: "format", value: "string", default: "table", help: "Format the output. Values: [table | json]" },
    { long: "quiet", short: "q", help: "Only display project names" },
  ],
  run: ls,
};

async function ls(ctx: CliContext, _args: readonly string[], options: ParsedOptions): Promise<number> {
  const wanted = nameFilters(options.list("filter"));
  const engine = await ctx.engine();
  const found = await engine.containers.list({ labels: { [LABEL.project]: undefined, [LABEL.configHash]: undefined } });
  tellDownWithMachine(ctx, found);
  const byProject = new Map<string, ContainerInfo[]>();
  for (const info of found) {
    const project = info.labels[LABEL.project];
    if (project === undefined || (!options.flag("all") && !isLive(info))) continue;
    byProject.set(project, [...(byProject.get(project) ?? []), info]);
  }
  const rows = [...byProject]
    .filter(([name]) => wanted.length === 0 || wanted.some((pattern) => pattern.test(name)))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => ({
      Name: name,
      Status: combinedStatus(containers),
      ConfigFiles: configFiles(containers),
    }));
  if (options.flag("quiet")) {
    ctx.print(printedLines(rows.map(({ Name }) => Name)));
    return 0;
  }
  const format = options.text("format") ?? "table";
  if (format === "json") ctx.print(joined([printedJson(rows), printed`\n`]));
  else if (format === "table" || format === "" || format === "pretty") {
    const { renderTable } = await import("../render/table.js");
    ctx.print(
      renderTable([["NAME", "STATUS", "CONFIG FILES"], ...rows.map((row) => [row.Name, row.Status, row.ConfigFiles])]),
    );
  } else throw usage(`format value "${format}" could not be parsed: parsing failed`);
  return 0;
}

function nameFilters(filters: readonly string[]): readonly RegExp[] {
  return filters.map((filter) => {
    const [key, value = ""] = filter.split(/=(.*)/s);
    if (key !== "name") throw usage(`invalid filter '${key}'`);
    try {
      return new RegExp(value);
    } catch (cause) {
      throw new TscError("TSC_USAGE", `invalid filter 'name=${value}'`, { kind: "invalid-input", cause });
    }
  });
}

/** `exited(1), running(2)`. */
export function combinedStatus(containers: readonly ContainerInfo[]): string {
  const counts = new Map<string, number>();
  for (const { state } of containers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([state, count]) => `${state}(${count})`)
    .join(", ");
}

function configFiles(containers: readonly ContainerInfo[]): string {
  const files = new Set<string>();
  for (const { labels } of containers) {
    const label = labels[LABEL.configFiles];
    if (label === undefined) return "N/A";
    for (const file of label.split(",")) files.add(file);
  }
  return [...files].join(",");
}
