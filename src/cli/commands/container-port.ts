/** `container port`: where a container's ports are published. */
import { TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";
import { publishedAt, publishersOf } from "../render/container-rows.js";
import { printedLines } from "../render/printed.js";
import { readPort } from "./port.js";

export const command: CommandSpec = {
  name: "container port",
  summary: "List port mappings or a specific mapping for the container",
  example: "tscompose container port demo-web-1 80/tcp",
  args: [{ name: "CONTAINER", required: true, complete: "container" }, { name: "PRIVATE_PORT[/PROTO]" }],
  options: [],
  run: async (ctx, args) => {
    const [name = "", text] = args;
    const { containers } = await ctx.engine();
    const info = await containers.inspect(name);
    const published = publishersOf(info).filter(({ PublishedPort }) => PublishedPort > 0);
    if (text === undefined) {
      const lines = published.map((one) => `${one.TargetPort}/${one.Protocol} -> ${publishedAt(one)}`);
      ctx.print(printedLines(lines));
      return 0;
    }
    const { number, protocol = "tcp" } = readPort(text);
    const found = published.filter(({ TargetPort, Protocol }) => TargetPort === number && Protocol === protocol);
    if (found.length === 0) {
      throw new TscError("TSC_PORT_NOT_PUBLISHED", `no public port '${number}/${protocol}' published for ${name}`, {
        kind: "not-found",
      });
    }
    ctx.print(printedLines(found.map(publishedAt)));
    return 0;
  },
};
