/**
 * The loop of `watch`: file changes are gathered until they pause, then acted upon, one batch at a time. What changes meanwhile
 * is the next batch, so a burst of any size costs a few batches.
 */
import type { Project } from "../../compose/model.js";
import { messageOf, TscError } from "../../lib/errors.js";
import type { CliContext } from "../context.js";
import type { LogPrinter } from "../render/log-printer.js";
import { printed } from "../render/printed.js";
import { applyBatch, syncAtFirst } from "./watch-actions.js";
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
  /** Where it is told what is done. */
  readonly printer: LogPrinter;
  /** The project as its files say now: what is rebuilt gets the environment of today. */
  readonly reload: () => Promise<Project>;
}

/** Changed host paths by rule. */
export type Batch = ReadonlyMap<Rule, ReadonlySet<string>>;

/** Sees every change from now on; disposing ends that. */
export interface OpenWatch extends AsyncDisposable {
  /** Acts upon what has changed and what changes, until the signal. A failed batch is told; watching goes on. */
  run(): Promise<void>;
}

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

/** Begins to watch and does the first sync. TSC_WATCH_NOTHING when no service has a develop section. */
export async function openWatch(ctx: CliContext, project: Project, options: WatchOptions): Promise<OpenWatch> {
  const rules = watchRules(ctx, project, options.services ?? []);
  const changes = new Changes(options.signal);
  const { watch } = await import("chokidar");
  const watchers = rules.map((rule) => {
    const watcher = watch(rule.path, {
      ignoreInitial: true,
      ignored: (path) => rule.ignoresTree(path),
      atomic: true,
      followSymlinks: false,
    });
    watcher.on("all", (event, path) => {
      if ((event === "addDir" && path === rule.path) || rule.ignores(path)) return;
      changes.add(rule, path);
    });
    watcher.on("error", (error) => ctx.warn(`watching ${rule.path}: ${String(error)}`));
    return watcher;
  });
  const close = async (): Promise<void> => {
    changes.close();
    await Promise.all(watchers.map((watcher) => watcher.close()));
  };
  try {
    await Promise.all(watchers.map((watcher) => new Promise<void>((resolve) => watcher.once("ready", resolve))));
    await telling(ctx, options.signal, () => syncAtFirst(ctx, project, rules));
  } catch (error) {
    await close();
    throw error;
  }
  options.printer.watch(printed`Watch enabled`);
  return {
    async run() {
      for (let batch = await changes.next(); batch !== undefined; batch = await changes.next()) {
        const work = batch;
        const count = [...work.values()].reduce((sum, paths) => sum + paths.size, 0);
        const began = performance.now();
        if (ctx.globals.verbose) ctx.note(printed`batch start: count[${count}]\n`);
        await telling(ctx, options.signal, () => applyBatch(ctx, project, work, options));
        const took = ((performance.now() - began) / 1000).toFixed(3);
        if (ctx.globals.verbose) ctx.note(printed`batch complete: duration[${took}s] count[${count}]\n`);
      }
    },
    async [Symbol.asyncDispose]() {
      await close();
      options.printer.watch(printed`Watch disabled`);
    },
  };
}

async function telling(ctx: CliContext, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) ctx.note(printed`warning: Error handling changed files: ${messageOf(error)}\n`);
  }
}

/** Gathers changes into batches. Lives as long as its watchers. */
class Changes {
  readonly #signal: AbortSignal;
  #pending = new Map<Rule, Set<string>>();
  #firstAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  add(rule: Rule, path: string): void {
    const paths = this.#pending.get(rule) ?? new Set();
    paths.add(path);
    this.#pending.set(rule, paths);
    if (this.#firstAt === 0) this.#firstAt = Date.now();
    const left = Math.max(0, this.#firstAt + AT_MOST_MS - Date.now());
    this.#wakeIn(Math.min(QUIET_MS, left));
  }

  /** What changed since the last batch, once there is something; undefined after the signal. */
  async next(): Promise<Batch | undefined> {
    while (!this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // the timer of a change that came while the last batch was worked on may have fired with nobody waiting
        if (this.#pending.size > 0) this.#wakeIn(QUIET_MS);
      });
      const batch = this.#pending;
      if (this.#signal.aborted || batch.size === 0) continue;
      this.#pending = new Map();
      this.#firstAt = 0;
      return batch;
    }
    return undefined;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), ms);
  }
}
