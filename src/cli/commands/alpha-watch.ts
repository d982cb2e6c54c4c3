/** `alpha watch`: the old place of `watch`. */
import type { CommandSpec } from "../command.js";
import { command as watch } from "./watch.js";

export const command: CommandSpec = { ...watch, name: "alpha watch", example: "tscompose alpha watch --no-up" };
