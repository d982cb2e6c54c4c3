/** `alpha viz`: the project's services as a Graphviz graph. */

import type { Project } from "../../compose/model.js";
import { escaped } from "../../lib/printable.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import { type Printed, printedText } from "../render/printed.js";

export const command: CommandSpec = {
  name: "alpha viz",
  summary: "Generate a graphviz graph from your compose file",
  example: "tscompose alpha viz --ports | dot -Tsvg > stack.svg",
  args: [],
  options: [
    { long: "image", help: "Include service's image name in output graph" },
    { long: "indentation-size", value: "int", default: 1, help: "Number of tabs or spaces to use for indentation" },
    { long: "networks", help: "Include service's attached networks in output graph" },
    { long: "ports", help: "Include service's exposed ports in output graph" },
    { long: "spaces", help: "If given, space character ' ' will be used to indent" },
  ],
  run: async (ctx, _args, options) => {
    ctx.print(graphText(await ctx.project({ noEnvResolution: true }), options));
    return 0;
  },
};

/** The graph in the DOT language, services and edges in sorted order. */
export function graphText(project: Project, options: Pick<ParsedOptions, "flag" | "number">): Printed {
  const size = Math.max(0, Math.min(20, options.number("indentation-size") ?? 1));
  const indent = (options.flag("spaces") ? " " : "\t").repeat(size);
  const quoted = (text: string) => `"${escaped(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const html = (text: string) => escaped(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const lines = [`digraph ${quoted(project.name)} {`, `${indent}layout=dot;`];
  const names = Object.keys(project.services).toSorted();
  for (const name of names) {
    const service = project.services[name];
    if (service === undefined) continue;
    const parts = [`<b>${html(name)}</b>`];
    if (options.flag("networks")) {
      const networks = Object.keys(service.networks ?? {}).toSorted();
      if (networks.length > 0) parts.push("<b>Networks:</b>", ...networks.map(html));
    }
    if (options.flag("ports")) {
      const ports = (service.ports ?? []).map(
        (port) => `${port.host_ip === undefined ? "" : `${port.host_ip}:`}${port.published ?? ""}:${port.target ?? ""}`,
      );
      if (ports.length > 0) parts.push("<b>Ports:</b>", ...ports.map(html));
    }
    if (options.flag("image") && service.image !== undefined) parts.push("<b>Image:</b>", html(service.image));
    lines.push(
      `${indent}${quoted(name)} [style="filled" label=<<font point-size="15">${parts.join("<br/>")}</font>>];`,
    );
  }
  for (const name of names) {
    for (const other of Object.keys(project.services[name]?.depends_on ?? {}).toSorted()) {
      lines.push(`${indent}${quoted(name)} -> ${quoted(other)};`);
    }
  }
  return printedText(`${lines.join("\n")}\n}\n`);
}
