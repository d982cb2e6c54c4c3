/** `container cp`: files between this machine and a container. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "container cp",
  summary: "Copy files/folders between a container and the local filesystem",
  example: "tscompose container cp demo-web-1:/etc/hosts .",
  args: [
    { name: "SRC_PATH", required: true, complete: "container" },
    { name: "DEST_PATH", required: true, complete: "container" },
  ],
  options: [
    { long: "archive", short: "a", help: "Archive mode (copy all uid/gid information)" },
    { long: "follow-link", short: "L", help: "Always follow symbol link in SRC_PATH" },
    { long: "quiet", short: "q", hidden: true, help: "Has no effect: nothing is shown that could be suppressed" },
  ],
  run: async (ctx, args, options) => {
    const { copyFiles } = await import("../copy/copy-files.js");
    const { containers } = await ctx.engine();
    const request = {
      source: args[0] ?? "",
      target: args[1] ?? "",
      archive: options.flag("archive"),
      followLink: options.flag("follow-link"),
    };
    await copyFiles(ctx, request, async (name) => [await containers.inspect(name)]);
    return 0;
  },
};
