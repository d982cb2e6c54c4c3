/** `container start`: start one or more stopped containers. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "start",
  summary: "Start one or more stopped containers",
  options: [],
  work: ({ containers }, { id }) => containers.start(id),
});
