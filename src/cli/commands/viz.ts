/** `viz`: the graph of everything the project consists of. */
import { writeFile } from "node:fs/promises";
import { callerFileMode } from "../../lib/caller.js";
import type { CommandSpec } from "../command.js";
import { loadOptions } from "../load-options.js";

export const command: CommandSpec = {
  name: "viz",
  summary: "Draw the graph of services, networks, volumes, secrets and configs",
  example: "tscompose viz --format dot | dot -Tsvg > stack.svg",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    {
      long: "format",
      value: "string",
      default: "mermaid",
      choices: ["mermaid", "dot", "json"],
      help: "Format the output. Values: [mermaid | dot | json]",
    },
    {
      long: "only",
      value: "csv",
      placeholder: "KIND",
      help: "Show only these kinds: service, network, volume, secret, config, model",
    },
    { long: "no-default-network", help: "Leave out the network default" },
    { long: "output", short: "o", value: "string", complete: "file", help: "Save to file (default to stdout)" },
  ],
  run: async (ctx, args, options) => {
    const { dependencyGraph, loadProject } = await import("../../compose/index.js");
    const { drawGraph, narrowGraph } = await import("../render/graph.js");
    // a cycle is what people want to see, so consistency is not asked for
    const project = await loadProject({
      ...loadOptions(ctx),
      services: args,
      noConsistency: true,
      noEnvResolution: true,
    });
    const graph = narrowGraph(dependencyGraph(project), {
      kinds: options.list("only"),
      noDefaultNetwork: options.flag("no-default-network"),
    });
    if (graph.cycle !== undefined) ctx.warn(`dependency cycle: ${graph.cycle.join(" -> ")}`);
    const text = drawGraph(graph, project.name, options.text("format") ?? "mermaid");
    const output = options.text("output") ?? "";
    if (output === "") ctx.print(text);
    else {
      const { resolve } = await import("node:path");
      await writeFile(resolve(ctx.cwd, output), text, { mode: callerFileMode(ctx.env) });
    }
    return 0;
  },
};
