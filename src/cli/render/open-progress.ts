/** Chooses the progress renderer for a stream. Each renderer is loaded only when it is the chosen one. */
import type { AnsiMode, ProgressMode } from "../context.js";
import type { Progress } from "./progress.js";

export interface ProgressTarget {
  readonly mode: ProgressMode;
  readonly ansi: AnsiMode;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard error: progress is never a result. */
  readonly stream: NodeJS.WriteStream;
}

/** `auto` is the live display on a terminal that understands it, plain lines elsewhere. */
export async function openProgress(target: ProgressTarget): Promise<Progress> {
  switch (effectiveMode(target)) {
    case "tty":
      return (await import("./tty.js")).ttyProgress(target.stream, usesColor(target));
    case "json":
      return (await import("./json.js")).jsonProgress(target.stream);
    case "quiet":
      return (await import("./quiet.js")).quietProgress(target.stream);
    case "plain":
      return (await import("./plain.js")).plainProgress(target.stream);
  }
}

function effectiveMode({ mode, ansi, env, stream }: ProgressTarget): Exclude<ProgressMode, "auto"> {
  if (mode !== "auto") return mode;
  const dumb = env.TERM === "dumb" || (env.CI ?? "") !== "";
  return stream.isTTY === true && ansi !== "never" && !dumb ? "tty" : "plain";
}

function usesColor({ ansi, env, stream }: ProgressTarget): boolean {
  if (ansi !== "auto") return ansi === "always";
  return stream.isTTY === true && (env.NO_COLOR ?? "") === "";
}
