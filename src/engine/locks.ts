/** Named locks over processes: one command at a time on one project. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { printable } from "../lib/printable.js";
import type { EngineContext } from "./context.js";

/** Takes the lock; `onWait` hears once who holds it. `TSC_CANCELLED` when the signal comes first. */
export async function lockName(
  ctx: EngineContext,
  name: string,
  options: { readonly onWait?: (holder: string) => void; readonly signal?: AbortSignal } = {},
): Promise<AsyncDisposable> {
  mkdirSync(ctx.paths.locks, { recursive: true, mode: 0o700 });
  // A name may hold anything a path may not.
  const path = join(ctx.paths.locks, `name-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`);
  let lock = await ctx.kernel.lockFile(path, { wait: false });
  if (lock === undefined) {
    options.onWait?.(readHolder(`${path}.holder`));
    lock = await ctx.kernel.lockFile(path, {
      wait: true,
      ...given({ signal: options.signal }),
    });
  }
  const held = lock;
  if (held === undefined) {
    throw new TscError("TSC_CANCELLED", `waiting for ${name} was cancelled`, { kind: "cancelled" });
  }
  writeFileSync(`${path}.holder`, `process ${process.pid}`, { mode: 0o600 });
  return {
    async [Symbol.asyncDispose]() {
      held.release();
    },
  };
}

function readHolder(path: string): string {
  try {
    return printable(readFileSync(path, "utf8"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "another command";
    throw error;
  }
}
