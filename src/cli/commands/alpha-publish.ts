/** `alpha publish`: the old place of `publish`. */
import type { CommandSpec } from "../command.js";
import { command as publish } from "./publish.js";

export const command: CommandSpec = {
  ...publish,
  name: "alpha publish",
  example: "tscompose alpha publish registry.example.com/team/app:1.0",
};
