/** `container pause`: freeze containers. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "pause",
  summary: "Pause all processes within one or more containers",
  options: [],
  work: ({ containers }, { id }) => containers.pause(id),
});
