/** `volumes`: the project's volumes. */
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { printedLines } from "../render/printed.js";
import { renderRows } from "../render/rows.js";
import { VOLUME_FORMAT, volumeRow } from "../render/volume-rows.js";
import { checkServices, projectContainers } from "../select.js";

export const command: CommandSpec = {
  name: "volumes",
  summary: "List volumes",
  example: "tscompose volumes --format json",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    {
      long: "format",
      value: "string",
      default: "table",
      help: "Format output: table, table TEMPLATE, json or a Go template",
    },
    { long: "quiet", short: "q", help: "Only display volume names" },
  ],
  run: volumes,
};

async function volumes(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const [{ name, project }, engine] = await Promise.all([ctx.projectOrName(), ctx.engine()]);
  checkServices(project, services);
  // anonymous volumes carry the project's label for `down -v` alone
  let found = (await engine.volumes.list({ labels: { [LABEL.project]: name } })).filter(({ anonymous }) => !anonymous);
  if (services.length > 0) {
    const containers = await projectContainers(engine, name, { services, all: true });
    const used = new Set(containers.flatMap((info) => info.mounts.map((mount) => mount.name)));
    found = found.filter((volume) => used.has(volume.name));
  }
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (options.flag("quiet")) ctx.print(printedLines(sorted.map(({ name }) => name)));
  else ctx.print(renderRows(sorted.map(volumeRow), VOLUME_FORMAT, options.text("format") ?? "table"));
  return 0;
}
