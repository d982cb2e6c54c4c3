/** A container's log, followed until the container ends. */
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { LogLine, LogOptions } from "../types.js";
import type { RuntimeDeps } from "./deps.js";
import { findContainer, isUp } from "./lookup.js";
import { waitContainer } from "./wait.js";

/** The lines, oldest first. `TSC_CONTAINER_NOT_FOUND`, `TSC_NO_LOG`, `TSC_TIME_INVALID`. */
export async function* containerLogs(deps: RuntimeDeps, id: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
  const row = findContainer(deps.ctx, id);
  if (row.spec.logging?.driver === "none") {
    throw new TscError("TSC_NO_LOG", `container ${row.name}: the log driver is none, so there is no log`, {
      kind: "unsupported",
    });
  }
  const { readLog } = await import("../logs/index.js");
  const stop = new AbortController();
  const isRunning = isUp(row);
  const finished =
    options.follow !== true
      ? undefined
      : isRunning
        ? waitContainer(deps, row.id, stop.signal).catch(() => undefined)
        : Promise.resolve(undefined);
  try {
    yield* readLog(row.record.logPath, {
      ...options,
      ...given({ finished }),
      hold: (descriptor) => deps.ctx.kernel.shareLock(descriptor),
      onLost: (files) =>
        deps.ctx.warn(`container ${row.name}: ${files} log files were taken away before they could be read`),
    });
  } finally {
    stop.abort();
  }
}
