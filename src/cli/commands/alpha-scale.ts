/** `alpha scale`: the old place of `scale`. */
import type { CommandSpec } from "../command.js";
import { command as scale } from "./scale.js";

export const command: CommandSpec = { ...scale, name: "alpha scale", example: "tscompose alpha scale web=3" };
