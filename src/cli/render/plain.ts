/**
 * Progress as lines for files and pipes: ` Container p-web-1 Started `. Each state of an item is printed once. Blanks are those of docker
 * compose 5, which puts one after the id, and one after the text even where no details follow.
 */
import { printable } from "../../lib/printable.js";
import { logBuild, openBuildLog } from "./build-log.js";
import { joined, type Printed, type PrintedStream, printed } from "./printed.js";
import type { Progress, ProgressUpdate } from "./progress.js";

/** Writes to `stream`, and the log of builds to `log`; byte counts alone make no line. */
export function plainProgress(stream: PrintedStream, log: PrintedStream = stream): Progress {
  const builds = openBuildLog(log);
  const last = new Map<string, string>();
  return {
    update(update) {
      if (logBuild(builds, update)) return;
      const line = plainLine(update);
      const key = update.kind === "item" ? `${update.parent ?? ""}\0${update.id}` : "";
      if (update.kind === "item") {
        if (last.get(key) === line) return;
        last.set(key, line);
      }
      stream.write(printed`${line}\n`);
    },
    line(text) {
      stream.write(joined([text, printed`\n`]));
    },
    async end() {},
  };
}

/** The line of one update, without a newline. */
export function plainLine(update: ProgressUpdate): Printed {
  if (update.kind === "output") return printed`${printable(update.id)} | ${printable(update.text, 4000)}`;
  return printed` ${printable(update.id)} ${printable(update.text)} ${printable(update.details ?? "")}`;
}
