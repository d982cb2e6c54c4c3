/** `publish`: the compose files as an OCI artifact. */
import type { CommandSpec } from "../command.js";
import { publishOptions } from "../publish/options.js";

export const command: CommandSpec = {
  name: "publish",
  summary: "Publish compose application",
  example: "tscompose publish registry.example.com/team/app:1.0",
  args: [{ name: "REPOSITORY[:TAG]", required: true }],
  options: publishOptions,
  run: async (ctx, [reference = ""], options) =>
    await (await import("../publish/publish.js")).publish(ctx, reference, options),
};
