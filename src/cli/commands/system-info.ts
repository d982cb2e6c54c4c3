/** `system info`: `info`, under docker's noun. */
import type { CommandSpec } from "../command.js";
import { command as info } from "./info.js";

export const command: CommandSpec = { ...info, name: "system info", example: "tscompose system info --format json" };
