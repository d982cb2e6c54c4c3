/**
 * One command's work on a project: the engine, the project lock, plans carried out with progress. The only place where lifecycle
 * commands meet the executor and the renderer.
 */
import type { EngineApi } from "../../engine/api.js";
import type { ExecuteEvent, ExecuteListener } from "../../execute/events.js";
import type { ExecuteResult } from "../../execute/executor.js";
import { changedError, isTscError, TscErrorList } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { Plan } from "../../plan/plan.js";
import { lockProject } from "../../project/lock.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import type { Progress } from "../render/progress.js";

/** How one plan of a session is run and shown, and who else hears of it. */
export interface RunOptions {
  /** Instead of the command's own signal (attached `up` owns its interrupts). */
  readonly signal?: AbortSignal;
  /** Do not show progress (`--quiet`); warnings are told all the same. */
  readonly quiet?: boolean;
  /** Containers' output is on the screen as well: progress keeps to lines. */
  readonly besideLogs?: boolean;
  /** Keep the 125–127 of a container that cannot start; by default a failed command ends with 1. */
  readonly containerExitCodes?: boolean;
  /** Hears every event as well. */
  readonly onEvent?: ExecuteListener;
  /** Gets the output of hooks and providers instead of the progress display. */
  readonly onOutput?: (name: string, text: string) => void;
}

/** Lives as long as the command's changes: disposing restores the terminal and gives up the lock. */
export class Session implements AsyncDisposable {
  readonly ctx: CliContext;
  readonly engine: EngineApi;
  readonly project: string;
  #progress: Promise<Progress> | undefined;
  #lock: AsyncDisposable | undefined;
  readonly #warned = new Set<string>();
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #cwd: string;
  readonly #beforeResult: boolean;

  constructor(
    ctx: CliContext,
    engine: EngineApi,
    project: string,
    lock: AsyncDisposable | undefined,
    around: {
      readonly environment: Readonly<Record<string, string | undefined>>;
      readonly cwd: string;
      readonly beforeResult: boolean;
    },
  ) {
    this.ctx = ctx;
    this.engine = engine;
    this.project = project;
    this.#lock = lock;
    this.#environment = around.environment;
    this.#cwd = around.cwd;
    this.#beforeResult = around.beforeResult;
  }

  /** Carries a plan out, or prints it with `--dry-run`. Warnings are told in both cases. */
  async run(plan: Plan, options: RunOptions = {}): Promise<ExecuteResult> {
    if (this.ctx.globals.dryRun) {
      for (const message of plan.warnings) this.ctx.warn(message);
      const { dryRunText } = await import("../dry-run.js");
      this.ctx.print(await dryRunText(plan, this.ctx.globals.progress === "json"));
      return { ids: new Map() };
    }
    const { execute } = await import("../../execute/executor.js");
    if (plan.operations.length === 0) {
      const progress = await this.#progress;
      for (const message of plan.warnings) this.#warn(progress, message);
      return { ids: new Map() };
    }
    const progress = options.quiet === true ? undefined : await this.#renderer(options);
    const { describeEvent } = await import("../render/execute-events.js");
    const { warningWords } = await import("./warning-words.js");
    const words = warningWords(plan);
    const show = (event: ExecuteEvent): void => {
      options.onEvent?.(event);
      if (event.type === "warning") this.#warn(progress, words(event.message));
      else if (event.type === "output" && options.onOutput !== undefined) options.onOutput(event.name, event.text);
      // nobody is attached; what a hook that fails said last stands in its error, as in docker compose
      else if (event.type === "output" && event.of === "hook") return;
      else if (progress !== undefined) for (const update of describeEvent(event)) progress.update(update);
    };
    const work = execute(plan, {
      engine: this.engine,
      emit: show,
      parallel: this.ctx.globals.parallel,
      signal: options.signal ?? this.ctx.signal,
      env: this.#environment,
      callerEnv: this.ctx.env,
      cwd: this.#cwd,
    });
    return await (options.containerExitCodes === true ? work : work.catch(endWithOne));
  }

  /** Ends the progress display; results may be printed afterwards. Further plans open a new one. */
  async endProgress(): Promise<void> {
    const progress = this.#progress;
    this.#progress = undefined;
    await (await progress)?.end();
  }

  /** Lets other commands on the project go on. */
  async unlock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.endProgress();
    } finally {
      await this.unlock();
    }
  }

  #renderer({ besideLogs = false }: RunOptions): Promise<Progress> {
    this.#progress ??= this.ctx.progress({ besideLogs, beforeResult: this.#beforeResult });
    return this.#progress;
  }

  #warn(progress: Progress | undefined, message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    if (progress === undefined) this.ctx.warn(message);
    else progress.line(printed`warning: ${printable(message, 2000)}`);
  }
}

/** Throws the error again, with exit code 1 unless it is a cancellation. */
function endWithOne(error: unknown): never {
  if (!isTscError(error) || error.exitCode === 1 || error.kind === "cancelled") throw error;
  if (error instanceof TscErrorList)
    throw new TscErrorList(error.errors.map((one) => changedError(one, { exitCode: 1 })));
  throw changedError(error, { exitCode: 1 });
}

/** Opens the engine and takes the project's lock; says so when another command holds it. */
export async function openSession(
  ctx: CliContext,
  project: {
    readonly name: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly workingDir?: string;
  },
  options: {
    readonly lock?: boolean;
    /** Standard output is for what the command runs: the log of a build is not printed there. */
    readonly beforeResult?: boolean;
  } = {},
): Promise<Session> {
  const engine = await ctx.engine();
  const lock =
    options.lock === false || ctx.globals.dryRun
      ? undefined
      : await lockProject(engine, project.name, {
          onWait: (holder) =>
            ctx.note(
              printed`Waiting for another command on project ${project.name}${holder === "" ? "" : ` (${holder})`}\n`,
            ),
          signal: ctx.signal,
        });
  return new Session(ctx, engine, project.name, lock, {
    environment: { ...ctx.env, ...project.environment },
    cwd: project.workingDir ?? ctx.cwd,
    beforeResult: options.beforeResult === true,
  });
}
