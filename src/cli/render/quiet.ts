/** No progress; warnings still show. */
import { plainLine } from "./plain.js";
import type { Progress } from "./progress.js";

/** Writes only what a person must know. */
export function quietProgress(stream: Pick<NodeJS.WriteStream, "write">): Progress {
  return {
    update(update) {
      // what fails is told as the command's error
      if (update.kind === "item" && update.status === "warning") stream.write(`${plainLine(update)}\n`);
    },
    line() {},
    async end() {},
  };
}
