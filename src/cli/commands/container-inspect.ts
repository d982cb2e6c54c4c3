/** `container inspect`: everything recorded about a container, as JSON or through a template. */
import type { CommandSpec } from "../command.js";
import { containerObject, inspectAll } from "../inspect.js";

export const command: CommandSpec = {
  name: "container inspect",
  summary: "Display detailed information on one or more containers",
  example: "tscompose container inspect demo-web-1",
  args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, names, options) =>
    await inspectAll(ctx, names, options.text("format"), (name) => containerObject(ctx, name)),
};
