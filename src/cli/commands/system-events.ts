/** `system events`: what happens in the engine, docker's form. */
import type { EngineEvent } from "../../engine/types.js";
import type { CommandSpec } from "../command.js";
import { applyFilters, filterOption, hasLabel } from "../filters.js";
import { engineEventObject, engineEventText } from "../render/event-rows.js";
import { joined, printed, printedJsonText } from "../render/printed.js";
import { compileTemplate, jsonText } from "../render/template.js";

export const command: CommandSpec = {
  name: "system events",
  summary: "Get real time events of containers, images, networks and volumes",
  example: "tscompose system events --since 1h --filter type=container",
  args: [],
  options: [
    filterOption,
    { long: "format", value: "string", help: "json, or a Go template" },
    { long: "since", value: "string", help: "Show all events created since timestamp" },
    { long: "until", value: "string", help: "Stream events until this timestamp" },
  ],
  run: async (ctx, _args, options) => {
    const filters = options.list("filter");
    const isWanted = (event: EngineEvent) => applyFilters([event], filters, matchers).length > 0;
    applyFilters([], filters, matchers);
    const format = options.text("format") ?? "";
    const template = format === "" || format === "json" ? undefined : compileTemplate(format);
    const since = options.text("since");
    const until = options.text("until");
    const stream = (await ctx.engine()).events.stream({
      signal: ctx.signal,
      ...(since === undefined || since === "" ? {} : { since }),
      ...(until === undefined || until === "" ? {} : { until }),
    });
    try {
      for await (const event of stream) {
        if (!isWanted(event)) continue;
        const object = engineEventObject(event);
        const line =
          template !== undefined
            ? template(object)
            : format === "json"
              ? printedJsonText(jsonText(object))
              : engineEventText(event);
        ctx.print(joined([line, printed`\n`]));
      }
    } catch (error) {
      if (!ctx.signal.aborted) throw error;
    }
    return ctx.signal.aborted ? 130 : 0;
  },
};

const named = (type: EngineEvent["type"]) => (event: EngineEvent, value: string) =>
  event.type === type && (event.name === value || event.id === value || (value !== "" && event.id.startsWith(value)));

const matchers = {
  type: (event: EngineEvent, value: string) => event.type === value,
  event: (event: EngineEvent, value: string) => event.action === value,
  label: (event: EngineEvent, value: string) => hasLabel(event.attributes, value),
  container: named("container"),
  image: (event: EngineEvent, value: string) => named("image")(event, value) || event.attributes["image"] === value,
  network: named("network"),
  volume: named("volume"),
};
