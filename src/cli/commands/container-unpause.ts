/** `container unpause`: let frozen containers go on. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "unpause",
  summary: "Unpause all processes within one or more containers",
  options: [],
  work: ({ containers }, { id }) => containers.unpause(id),
});
