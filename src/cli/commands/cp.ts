/** `cp`: files between this machine and a service's containers. */
import type { CommandSpec } from "../command.js";

export const command: CommandSpec = {
  name: "cp",
  summary: "Copy files/folders between a service container and the local filesystem",
  example: "tscompose cp web:/etc/nginx/nginx.conf .",
  args: [
    { name: "SRC_PATH", required: true, complete: "service-path" },
    { name: "DEST_PATH", required: true, complete: "service-path" },
  ],
  options: [
    { long: "all", help: "Include containers created by the run command" },
    { long: "archive", short: "a", help: "Archive mode (copy all uid/gid information)" },
    { long: "follow-link", short: "L", help: "Always follow symbol link in SRC_PATH" },
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "overwrite", hidden: true, help: "Accepted for podman-compose's sake" },
  ],
  run: async (ctx, args, options) => {
    const { copyFiles, serviceContainers } = await import("../copy/copy-files.js");
    const which = { all: options.flag("all"), index: options.number("index") ?? 0 };
    const request = {
      source: args[0] ?? "",
      target: args[1] ?? "",
      archive: options.flag("archive"),
      followLink: options.flag("follow-link"),
    };
    await copyFiles(ctx, request, (service) => serviceContainers(ctx, service, which));
    return 0;
  },
};
