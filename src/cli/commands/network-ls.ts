/** `network ls`: every network of this engine. */
import type { CommandSpec } from "../command.js";
import { applyFilters, booleanFilter, filterOption, hasLabel, hasName } from "../filters.js";
import { printedLines } from "../render/printed.js";
import { type RowFormat, renderRows } from "../render/rows.js";
import { goTime, shortId } from "../render/units.js";

const FORMAT: RowFormat = {
  columns: ["ID", "Name", "Driver", "Scope"],
  headers: {
    CreatedAt: "CREATED AT",
    Driver: "DRIVER",
    ID: "NETWORK ID",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Internal: "INTERNAL",
    Labels: "LABELS",
    Name: "NAME",
    Scope: "SCOPE",
  },
};

export const command: CommandSpec = {
  name: "network ls",
  aliases: ["network list"],
  summary: "List networks",
  example: "tscompose network ls",
  args: [],
  options: [
    filterOption,
    { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
    { long: "no-trunc", help: "Do not truncate the output" },
    { long: "quiet", short: "q", help: "Only display network IDs" },
  ],
  run: async (ctx, _args, options) => {
    const engine = await ctx.engine();
    const id = (full: string) => (options.flag("no-trunc") ? full : shortId(full));
    const networks = applyFilters(await engine.networks.list(), options.list("filter"), {
      id: (network, value) => network.id.startsWith(value),
      name: (network, value) => hasName(network.name, value),
      driver: (network, value) => network.driver === value,
      label: (network, value) => hasLabel(network.labels, value),
      dangling: (network, value) => (Object.keys(network.containers).length === 0) === booleanFilter(value),
    }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (options.flag("quiet")) {
      ctx.print(printedLines(networks.map((network) => id(network.id))));
      return 0;
    }
    const rows = networks.map((network) => ({
      CreatedAt: goTime(network.createdAt),
      Driver: network.driver,
      ID: id(network.id),
      IPv4: String(network.subnets.some(({ subnet }) => !subnet.includes(":"))),
      IPv6: String(network.ipv6),
      Internal: String(network.internal),
      Labels: Object.entries(network.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
      Name: network.name,
      Scope: "local",
    }));
    ctx.print(renderRows(rows, FORMAT, options.text("format") ?? ""));
    return 0;
  },
};
