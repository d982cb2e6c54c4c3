/** A container of our own in the foreground: joined, started, its exit code waited for. */
import type { EngineApi } from "../../engine/api.js";
import { isTscError } from "../../lib/errors.js";
import type { CliContext } from "../context.js";
import { joinSession } from "../stdio.js";

/** Attached before `start`, so that nothing is missed. Signals go to the container; the exit code is 0 after a detach. */
export async function joinContainer(
  ctx: CliContext,
  { containers }: EngineApi,
  id: string,
  mode: { readonly tty: boolean; readonly stdin: boolean; readonly detachKeys?: string | undefined },
  start: () => Promise<void>,
): Promise<number> {
  await using stdio = await containers.attach(id, { stdin: mode.stdin });
  const joined = joinSession(ctx, stdio, {
    ...mode,
    onSignal: (name, count) => {
      void containers.kill(id, count > 2 ? "SIGKILL" : name).catch(() => undefined);
    },
  });
  try {
    await start().catch((error: unknown) => {
      // The command that was asked for has done its work; its exit code says how.
      if (!isTscError(error, "TSC_HOOK_TOO_LATE")) throw error;
      ctx.warn(error.message);
    });
  } catch (error) {
    await stdio.detach();
    await joined.catch(() => undefined);
    throw error;
  }
  return (await joined) ?? 0;
}

/** Removes it with its anonymous volumes, unless it is gone. */
export async function removeQuietly({ containers }: EngineApi, id: string): Promise<void> {
  try {
    await containers.remove(id, { force: true, volumes: true });
  } catch (error) {
    if (!isTscError(error, "TSC_CONTAINER_NOT_FOUND")) throw error;
  }
}
