/** `container kill`: kill one or more running containers. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "kill",
  summary: "Kill one or more running containers",
  options: [
    {
      long: "signal",
      short: "s",
      value: "string",
      default: "SIGKILL",
      complete: "signal",
      help: "Signal to send to the container",
    },
  ],
  work: ({ containers }, { id }, options) => containers.kill(id, options.text("signal")),
});
