/** Stop and start as one piece of work: what a crash between the two leaves, the next command finishes. */
import { beginIntent, endIntent } from "../state/intents.js";
import type { RuntimeDeps } from "./deps.js";
import { emitPlain, findContainer } from "./lookup.js";
import { owner as self } from "./owner.js";
import { stopContainer } from "./stop.js";

/** Restarts a container; `start` brings it back. Errors are those of stop and start. */
export async function restartContainer(
  deps: RuntimeDeps,
  id: string,
  options: Parameters<typeof stopContainer>[2],
  start: (id: string) => Promise<void>,
): Promise<void> {
  const { ctx } = deps;
  const row = findContainer(ctx, id);
  const intent = beginIntent(ctx.state, "restart", row.id, self(ctx), ctx.kernel.bootId());
  try {
    await stopContainer(deps, row.id, options, false);
    await start(row.id);
  } finally {
    endIntent(ctx.state, intent);
  }
  emitPlain(deps, row, "restart");
}
