/** `container top`: processes of one container. */
import { TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";
import { LIST_SHAPE, renderTable } from "../render/table.js";

export const command: CommandSpec = {
  name: "container top",
  summary: "Display the running processes of a container",
  example: "tscompose container top demo-web-1",
  stopAtFirstArgument: true,
  args: [
    { name: "CONTAINER", required: true, complete: "container" },
    { name: "ps OPTIONS", variadic: true },
  ],
  options: [],
  run: async (ctx, args) => {
    const [name = "", ...ps] = args;
    if (ps.length > 0) {
      throw new TscError("TSC_UNSUPPORTED", "options of ps are not supported: processes are read without it", {
        kind: "unsupported",
        hint: `'tscompose container exec ${name} ps' runs the container's own`,
      });
    }
    const { containers } = await ctx.engine();
    const { titles, processes } = await containers.top((await containers.inspect(name)).id);
    ctx.print(renderTable([titles, ...processes], LIST_SHAPE));
    return 0;
  },
};
