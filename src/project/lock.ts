/** One command at a time changes a project. */
import type { EngineApi } from "../engine/api.js";

/** What every command holds while it changes a project. `TSC_CANCELLED` when the signal comes first. */
export function lockProject(
  engine: EngineApi,
  project: string,
  options: { onWait?: (holder: string) => void; signal?: AbortSignal } = {},
): Promise<AsyncDisposable> {
  return engine.lock(`project-${project}`, options);
}
