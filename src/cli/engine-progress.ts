/** Progress of one engine call (pull, push, load, build) through the chosen renderer. */
import type { ProgressListener } from "../engine/types.js";
import { given } from "../lib/given.js";
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
  const [progress, { engineListener }] = await Promise.all([
    ctx.progress({ beforeResult: true }),
    import("./render/execute-events.js"),
  ]);
  try {
    return await work(engineListener(progress, ctx.warn));
  } finally {
    await progress.end();
  }
}

/** Shows one piece of work that has no plan: `doing` while it runs, then `done`, or the error. */
export async function withItemProgress<T>(
  ctx: CliContext,
  words: { readonly id: string; readonly doing: string; readonly done: string; readonly details?: string },
  work: () => Promise<T>,
): Promise<T> {
  const progress = await ctx.progress();
  const { id } = words;
  const details = given({ details: words.details });
  try {
    progress.update({ kind: "item", id, status: "working", text: words.doing, ...details });
    const result = await work();
    progress.update({ kind: "item", id, status: "done", text: words.done, ...details });
    return result;
  } catch (error) {
    progress.update({ kind: "item", id, status: "error", text: "Error", ...details });
    throw error;
  } finally {
    await progress.end();
  }
}
