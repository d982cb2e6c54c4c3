/** `container wait`: blocks until containers stop, then prints their exit codes. */
import { containersCommand } from "../container-verb.js";

export const command = containersCommand({
  verb: "wait",
  summary: "Block until one or more containers stop, then print their exit codes",
  options: [],
  work: async ({ containers }, { id }, _options, signal) => String(await containers.wait(id, signal)),
});
