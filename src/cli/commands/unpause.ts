/** `unpause`: Unpauses running containers. */
import type { CommandSpec } from "../command.js";
import { unpauseOptions } from "../flags/lifecycle.js";
import { pausing } from "../pausing.js";

export const command: CommandSpec = {
  name: "unpause",
  summary: "Unpause services",
  example: "tscompose unpause web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: unpauseOptions,
  run: pausing("unpause"),
};
