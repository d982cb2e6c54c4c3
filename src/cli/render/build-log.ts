/** A build as BuildKit logs it in plain mode: numbered steps, their output with seconds since they began, tabs and blanks as they came. */
import { joined, type Printed, type PrintedStream, printed, printedText } from "./printed.js";
import type { BuildExport, BuildStep, ProgressUpdate } from "./progress.js";

/** Hears of builds by the ids of their progress items (`Image web`); steps of all of them are numbered together. */
export interface BuildLog {
  step(id: string, step: BuildStep): void;
  output(id: string, text: string): void;
  /** The image is written and has its names, in the words that BuildKit has for it. */
  exported(id: string, image: BuildExport): void;
  /** The image's last step is over: in BuildKit's words why, when it is not done. */
  end(id: string, failure: string | undefined): void;
}

/** Writes lines to `stream`. */
export function openBuildLog(stream: PrintedStream): BuildLog {
  const open = new Map<string, { number: number; startedAt: number }>();
  let count = 0;
  const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
  const line = (number: number, text: Printed): void => {
    stream.write(joined([printed`#${number} `, text, printed`\n`]));
  };
  const finish = (id: string): void => {
    const last = open.get(id);
    if (last !== undefined) line(last.number, printed`DONE ${seconds(last.startedAt)}s`);
    open.delete(id);
  };
  return {
    step(id, { step, steps, text, cached }) {
      finish(id);
      const number = ++count;
      // an image without a name has none in front of its steps, either
      const where = `${id.replace(/^Image /, "")} ${step}/${steps}`.trim();
      line(number, joined([printed`[${where}] `, printedText(text.replaceAll("\n", "\\n"))]));
      if (cached) line(number, printed`CACHED`);
      else open.set(id, { number, startedAt: performance.now() });
    },
    output(id, text) {
      const last = open.get(id);
      if (last === undefined) stream.write(joined([printedText(text), printed`\n`]));
      else line(last.number, joined([printed`${seconds(last.startedAt)} `, printedText(text)]));
    },
    exported(id, { imageId, names, durationMs }) {
      finish(id);
      const number = ++count;
      line(number, printed`exporting to image`);
      line(number, printed`writing image ${imageId} done`);
      for (const name of names) line(number, printed`naming to ${name} done`);
      line(number, printed`DONE ${(durationMs / 1000).toFixed(1)}s`);
    },
    end(id, failure) {
      const last = open.get(id);
      if (last === undefined || failure === undefined) return finish(id);
      line(last.number, printed`${failure}`);
      open.delete(id);
    },
  };
}

/** Gives the log what of an update is a build's; true when nothing else is to be shown of it. */
export function logBuild(log: BuildLog, update: ProgressUpdate): boolean {
  if (update.build === undefined) {
    if (update.kind === "item" && update.status !== "working") {
      const failure = update.status === "error" ? `ERROR: ${update.details ?? update.text}` : "CANCELED";
      log.end(update.id, update.status === "done" ? undefined : failure);
    }
    return false;
  }
  if (update.kind === "output") log.output(update.id, update.text);
  else if ("imageId" in update.build) log.exported(update.id, update.build);
  else log.step(update.id, update.build);
  return true;
}
