/** Progress of one engine call (pull, push, load, build) through the chosen renderer. */
import type { ProgressListener } from "../engine/types.js";
import type { CliContext } from "./context.js";

/** Runs `work` with a listener that draws; the terminal is restored before the result or the error is passed on. */
export async function withEngineProgress<T>(
  ctx: CliContext,
  quiet: boolean,
  work: (listener: ProgressListener) => Promise<T>,
): Promise<T> {
  if (quiet) {
    return await work((event) => {
      if (event.type === "warning") ctx.warn(event.message);
    });
  }
  const [progress, { engineListener }] = await Promise.all([ctx.progress(), import("./render/execute-events.js")]);
  try {
    return await work(engineListener(progress, ctx.warn));
  } finally {
    await progress.end();
  }
}
