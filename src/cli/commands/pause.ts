/** `pause`: Pauses running containers. */
import type { CommandSpec } from "../command.js";
import { pauseOptions } from "../flags/lifecycle.js";
import { pausing } from "../pausing.js";

export const command: CommandSpec = {
  name: "pause",
  summary: "Pause services",
  example: "tscompose pause web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: pauseOptions,
  run: pausing("pause"),
};
