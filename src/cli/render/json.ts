/** Progress as one JSON object per line, the fields docker compose prints with `--progress json`. */

import { given } from "../../lib/given.js";
import { joined, type PrintedStream, printed, printedJson } from "./printed.js";
import type { Progress } from "./progress.js";

/** Writes to `stream`; text is escaped by JSON itself. */
export function jsonProgress(stream: PrintedStream): Progress {
  const write = (value: object) => stream.write(joined([printedJson(value), printed`\n`]));
  return {
    update(update) {
      if (update.kind === "output") {
        write({ id: update.id, stream: update.stream, text: update.text });
        return;
      }
      const { currentBytes, totalBytes } = update;
      write({
        id: update.id,
        ...given({ parent_id: update.parent }),
        status: { working: "Working", done: "Done", warning: "Warning", error: "Error" }[update.status],
        text: update.text,
        ...given({ details: update.details, current: currentBytes, total: totalBytes }),
        ...(currentBytes === undefined || totalBytes === undefined || totalBytes <= 0
          ? {}
          : { percent: Math.min(100, Math.floor((currentBytes * 100) / totalBytes)) }),
      });
    },
    line(text) {
      write({ text });
    },
    async end() {},
  };
}
