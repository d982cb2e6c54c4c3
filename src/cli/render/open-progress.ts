/** Chooses the progress renderer for a stream. Each renderer is loaded only when it is the chosen one. */
import type { AnsiMode, ProgressMode } from "../context.js";
import type { Progress } from "./progress.js";

/** The streams of a command's progress and what was asked for (`--progress`, `--ansi`). */
export interface ProgressTarget {
  readonly mode: ProgressMode;
  readonly ansi: AnsiMode;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard error: progress is never a result. */
  readonly stream: NodeJS.WriteStream;
  /** Standard output: what docker compose writes there of its progress, the log of builds in plain mode. */
  readonly log: NodeJS.WriteStream;
  /** The command's verb, for the first line of the live display. */
  readonly title: string;
  /** The command's own: the live display tells when it is aborted. */
  readonly signal: AbortSignal;
  /** The screen is shared with containers' output: lines instead of a live display. */
  readonly besideLogs?: boolean;
}

/** `auto` is the live display on a terminal that understands it, plain lines elsewhere. */
export async function openProgress(target: ProgressTarget): Promise<Progress> {
  const { stream, title, signal } = target;
  switch (effectiveMode(target)) {
    case "tty":
      return (await import("./tty.js")).ttyProgress(stream, { color: usesColor(target), title, signal });
    case "json":
      return (await import("./json.js")).jsonProgress(stream);
    case "quiet":
      return (await import("./quiet.js")).quietProgress(stream);
    case "plain":
      return (await import("./plain.js")).plainProgress(stream, target.log);
  }
}

function effectiveMode(target: ProgressTarget): Exclude<ProgressMode, "auto"> {
  const { mode, ansi, env, stream, besideLogs } = target;
  if (mode !== "auto" && mode !== "tty") return mode;
  if (besideLogs === true) return "plain";
  if (mode === "tty") return mode;
  const dumb = env.TERM === "dumb" || (env.CI ?? "") !== "";
  return stream.isTTY === true && ansi !== "never" && !dumb ? "tty" : "plain";
}

function usesColor({ ansi, env, stream }: ProgressTarget): boolean {
  if (ansi !== "auto") return ansi === "always";
  return stream.isTTY === true && (env.NO_COLOR ?? "") === "";
}
