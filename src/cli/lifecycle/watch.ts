/**
 * The loop of `watch`: file changes are gathered until they pause, then acted upon, one batch at a time. What changes meanwhile
 * is the next batch, so a burst of any size costs a few batches.
 */
import type { Project } from "../../compose/model.js";
import { TscError } from "../../lib/errors.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { applyBatch } from "./watch-actions.js";
import { type Rule, rulesOf } from "./watch-rules.js";

/** A batch begins this long after the last change … */
const QUIET_MS = 200;
/** … but no later than this after the first one. */
const AT_MOST_MS = 2000;

export interface WatchOptions {
  readonly services?: readonly string[];
  readonly signal: AbortSignal;
  readonly quiet: boolean;
  readonly prune?: boolean;
  /** Containers' output is printed meanwhile. */
  readonly besideLogs?: boolean;
}

/** Changed host paths by rule; the value says whether the path is there. */
export type Batch = ReadonlyMap<Rule, ReadonlySet<string>>;

/** The rules of the services (all when none is named). TSC_WATCH_NOTHING when none of them has a develop section. */
export function watchRules(ctx: CliContext, project: Project, services: readonly string[]): readonly Rule[] {
  const { rules, warnings } = rulesOf(project, services);
  for (const warning of warnings) ctx.warn(warning);
  if (rules.length === 0) {
    throw new TscError(
      "TSC_WATCH_NOTHING",
      "none of the selected services is configured for watch, see develop.watch",
      {
        kind: "invalid-input",
        hint: "add a develop.watch section to the service",
      },
    );
  }
  return rules;
}

/** Runs until the signal. TSC_WATCH_NOTHING when no service has a develop section. */
export async function watchProject(ctx: CliContext, project: Project, options: WatchOptions): Promise<void> {
  const rules = watchRules(ctx, project, options.services ?? []);
  const { watch } = await import("chokidar");
  const pending = new Map<Rule, Set<string>>();
  let firstChange = 0;
  let timer: NodeJS.Timeout | undefined;
  let wake: () => void = () => undefined;
  const note = (rule: Rule, path: string): void => {
    const paths = pending.get(rule) ?? new Set();
    paths.add(path);
    pending.set(rule, paths);
    if (firstChange === 0) firstChange = Date.now();
    clearTimeout(timer);
    const left = Math.max(0, firstChange + AT_MOST_MS - Date.now());
    timer = setTimeout(() => wake(), Math.min(QUIET_MS, left));
  };
  const watchers = rules.map((rule) => {
    const watcher = watch(rule.path, {
      ignoreInitial: true,
      ignored: (path) => rule.ignoresTree(path),
      atomic: true,
      followSymlinks: false,
    });
    watcher.on("all", (event, path) => {
      if ((event === "addDir" && path === rule.path) || rule.ignores(path)) return;
      note(rule, path);
    });
    watcher.on("error", (error) => ctx.warn(`watching ${rule.path}: ${String(error)}`));
    return watcher;
  });
  try {
    await Promise.all(watchers.map((watcher) => new Promise<void>((resolve) => watcher.once("ready", resolve))));
    ctx.note(printed`Watch enabled\n`);
    const initial = new Map(
      rules.filter(({ initialSync }) => initialSync).map((rule) => [rule, new Set([rule.path])] as const),
    );
    if (initial.size > 0) await act(ctx, project, initial, options);
    while (!options.signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        options.signal.addEventListener("abort", () => resolve(), { once: true });
        // The timer of a change that came while the last batch was worked on may have fired with nobody waiting.
        if (pending.size > 0) {
          clearTimeout(timer);
          timer = setTimeout(() => wake(), QUIET_MS);
        }
      });
      if (options.signal.aborted) return;
      const batch = new Map(pending);
      pending.clear();
      firstChange = 0;
      if (batch.size > 0) await act(ctx, project, batch, options);
    }
  } finally {
    clearTimeout(timer);
    await Promise.all(watchers.map((watcher) => watcher.close()));
  }
}

/** A failed batch is told; watching goes on. */
async function act(ctx: CliContext, project: Project, batch: Batch, options: WatchOptions): Promise<void> {
  try {
    await applyBatch(ctx, project, batch, options);
  } catch (error) {
    if (!options.signal.aborted) ctx.note(printed`watch: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
