/** `container rm`: remove one or more containers. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "rm",
  aliases: ["remove"],
  summary: "Remove one or more containers",
  options: [
    { long: "force", short: "f", help: "Force the removal of a running container (uses SIGKILL)" },
    { long: "volumes", short: "v", help: "Remove anonymous volumes associated with the container" },
  ],
  work: ({ containers }, { id }, options) =>
    containers.remove(id, { force: options.flag("force"), volumes: options.flag("volumes") }),
});
