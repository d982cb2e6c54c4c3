/** `network graph`: which containers are on which networks, with addresses and published ports. */
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec } from "../command.js";
import { drawNetworks, networkPicture } from "../render/network-graph.js";
import { isLive, projectName } from "../select.js";

export const command: CommandSpec = {
  name: "network graph",
  summary: "Draw networks, containers, addresses and published ports",
  example: "tscompose network graph --format mermaid > network.mmd",
  args: [],
  options: [
    { long: "all", short: "a", help: "Every container and network of this engine, not the project's alone" },
    {
      long: "format",
      value: "string",
      default: "text",
      choices: ["text", "mermaid", "json"],
      help: "Format the output. Values: [text | mermaid | json]",
    },
  ],
  run: async (ctx, _args, options) => {
    const all = options.flag("all");
    const [project, engine] = await Promise.all([all ? undefined : projectName(ctx), ctx.engine()]);
    const labels = project === undefined ? {} : { [LABEL.project]: project };
    const [containers, networks] = await Promise.all([engine.containers.list({ labels }), engine.networks.list()]);
    const live = containers.filter(isLive);
    const isShown = (name: string): boolean =>
      live.some((info) => info.networks.some(({ network }) => network === name));
    const shown = networks.filter(
      (network) => project === undefined || network.labels[LABEL.project] === project || isShown(network.name),
    );
    ctx.print(drawNetworks(networkPicture(shown, live), options.text("format") ?? "text"));
    return 0;
  },
};
