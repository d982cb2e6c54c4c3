/** `top`: processes of the project's running containers. */
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec } from "../command.js";
import type { CliContext } from "../context.js";
import { renderTable, TOP_SHAPE } from "../render/table.js";
import { projectContainers, projectName } from "../select.js";

export const command: CommandSpec = {
  name: "top",
  summary: "Display the running processes",
  example: "tscompose top web",
  args: [{ name: "SERVICES", variadic: true, complete: "service" }],
  options: [],
  run: top,
};

async function top(ctx: CliContext, services: readonly string[]): Promise<number> {
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const containers = (await projectContainers(engine, name, { services, oneOff: "include" })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const all = await Promise.all(
    containers.map(async (info) => ({ info, listing: await engine.containers.top(info.id) })),
  );
  const titles = ["SERVICE", "#"];
  for (const { listing } of all) for (const title of listing.titles) if (!titles.includes(title)) titles.push(title);
  const command = titles.indexOf("CMD");
  if (command >= 0) titles.push(...titles.splice(command, 1));
  const rows = all.flatMap(({ info, listing }) =>
    listing.processes.map((process) => {
      const cells = new Map(listing.titles.map((title, index) => [title, process[index] ?? "-"]));
      cells.set("SERVICE", info.labels[LABEL.service] ?? info.name);
      cells.set("#", info.labels[LABEL.number] ?? "-");
      return titles.map((title) => cells.get(title) ?? "-");
    }),
  );
  if (rows.length > 0) ctx.print(renderTable([titles, ...rows], TOP_SHAPE));
  return 0;
}
