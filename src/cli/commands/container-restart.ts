/** `container restart`: stop and start containers. */
import { containersCommand } from "../container-verb.js";
import { stopLimit, timeoutOption } from "./container-stop.js";

export const command = containersCommand({
  verb: "restart",
  summary: "Restart one or more containers",
  options: [timeoutOption],
  work: ({ containers }, { id }, options) => containers.restart(id, stopLimit(options)),
});
