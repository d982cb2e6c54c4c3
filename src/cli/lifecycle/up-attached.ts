/**
 * Attached `up`: creates with progress, then starts while the containers' output is printed, until they have ended, the person
 * interrupts (first: stop, second: kill), or an exit ends it all. docs/reconcile.md R9.
 */
import type { Project } from "../../compose/model.js";
import { noSuchService } from "../../compose/no-such-service.js";
import { cancelled } from "../../execute/context.js";
import { isTscError, messageOf } from "../../lib/errors.js";
import { planKill } from "../../plan/lifecycle.js";
import { observe } from "../../plan/observe.js";
import { planStop } from "../../plan/stop.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { createLogPrinter, wantsColor } from "../render/log-printer.js";
import { printed } from "../render/printed.js";
import { type BringUpOptions, bringUp } from "./bring-up.js";
import { Followers } from "./followers.js";
import { type Menu, openMenu } from "./menu.js";
import { openSession, type Session } from "./session.js";

/** The exit code. */
export async function upAttached(
  ctx: CliContext,
  project: Project,
  targets: readonly string[],
  options: ParsedOptions,
  request: BringUpOptions,
): Promise<number> {
  const exitFrom = options.text("exit-code-from");
  if (exitFrom !== undefined && project.services[exitFrom] === undefined) {
    throw noSuchService(exitFrom);
  }
  const cascade: Cascade = options.flag("abort-on-container-failure")
    ? "failure"
    : options.flag("abort-on-container-exit") || exitFrom !== undefined
      ? "exit"
      : "none";
  if (options.flag("watch")) (await import("./watch.js")).watchRules(ctx, project, []);
  const attached = attachedServices(project, targets, options);
  const awaited = targets.length > 0 ? new Set(targets) : attached;
  const { timeoutMs } = request;
  const reload = () => ctx.project({ services: targets, noDependencies: options.flag("no-deps"), fresh: true });
  const stopped = targets;
  const run = new AttachedRun(ctx, project, { cascade, exitFrom, attached, awaited, stopped, timeoutMs, reload });
  return await run.execute(request, options);
}

const EXIT_HUNG_UP = 129;

type Cascade = "none" | "exit" | "failure";

/** Services whose output is shown. */
function attachedServices(project: Project, targets: readonly string[], options: ParsedOptions): Set<string> {
  const chosen = options.list("attach");
  const all = Object.keys(project.services);
  for (const name of [...chosen, ...options.list("no-attach")]) {
    // a service that is not part of this up has no output to leave out
    const isKnown = !chosen.includes(name) && project.disabledServices[name] !== undefined;
    if (project.services[name] === undefined && !isKnown) {
      throw noSuchService(name);
    }
  }
  const base =
    chosen.length > 0 ? chosen : targets.length === 0 || options.flag("attach-dependencies") ? all : [...targets];
  const without = new Set(options.list("no-attach"));
  return new Set(
    base.filter((name) => !without.has(name) && (project.services[name]?.attach !== false || chosen.includes(name))),
  );
}

interface AttachedOptions {
  readonly cascade: Cascade;
  readonly exitFrom: string | undefined;
  readonly attached: ReadonlySet<string>;
  /** The command ends with these: the services that were named, else those shown. */
  readonly awaited: ReadonlySet<string>;
  /** What an interrupt stops: the services that were named (their dependencies go on), else all. */
  readonly stopped: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly reload: () => Promise<Project>;
}

/** One attached run, from the first container to the restored terminal. */
class AttachedRun {
  readonly #ctx: CliContext;
  readonly #project: Project;
  readonly #options: AttachedOptions;
  readonly #starting = new AbortController();
  readonly #ended: Promise<"exited" | "aborted" | "interrupted" | "detached">;
  #end: (why: "exited" | "aborted" | "interrupted" | "detached") => void = () => undefined;
  #kill: (() => void) | undefined;
  #interrupted = false;
  /** Until then an interrupt ends what is under way and stops nothing that runs. */
  #isAttached = false;
  #hungUp = false;
  #firstExit: number | undefined;
  #exitFromCode: number | undefined;

  constructor(ctx: CliContext, project: Project, options: AttachedOptions) {
    this.#ctx = ctx;
    this.#project = project;
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async execute(request: BringUpOptions, options: ParsedOptions): Promise<number> {
    const ctx = this.#ctx;
    const release = ctx.onInterrupt((name, count) => (name === "SIGHUP" ? this.#onHangUp() : this.#onInterrupt(count)));
    const session = await openSession(ctx, this.#project);
    const signal = this.#starting.signal;
    const printer = createLogPrinter({
      stdout: ctx.stdout,
      stderr: ctx.stderr,
      color: wantsColor(ctx) && !options.flag("no-color"),
      prefix: !options.flag("no-log-prefix"),
      timestamps: options.flag("timestamps"),
    });
    const followers = new Followers(session.engine, this.#project, {
      printer,
      isShown: (service) => this.#options.attached.has(service),
      isAwaited: (service) => this.#options.awaited.has(service),
      onExit: (service, code) => this.#onExit(service, code),
      onQuiet: () => this.#end("exited"),
      onError: (error) => ctx.warn(messageOf(error)),
    });
    const menu = openMenu(ctx, options, {
      onDetach: () => this.#end("detached"),
      onInterrupt: (count) => this.#onInterrupt(count),
      watch: { project: this.#project, printer, reload: this.#options.reload },
    });
    const watches = options.flag("watch");
    try {
      try {
        await this.#bringUp(session, request, signal, followers, menu, watches);
      } catch (error) {
        if (this.#hungUp) return EXIT_HUNG_UP;
        const isOurs = this.#isAttached && (this.#interrupted || this.#firstExit !== undefined);
        if (!isOurs || !isTscError(error, "TSC_CANCELLED")) throw error;
        await session.endProgress();
        menu.hide();
        if (!this.#interrupted) ctx.note(printed`Aborting on container exit...\n`);
        await this.#stopAll(session, followers, menu);
        await followers.drain();
        return this.#interrupted ? 130 : this.#abortCode();
      }
      await session.unlock();
      menu.started();
      followers.allStarted();
      const why = await this.#ended;
      menu.hide();
      if (why === "detached") return this.#hungUp ? EXIT_HUNG_UP : 0;
      if (why === "exited") {
        await followers.drain();
        return 0;
      }
      if (why === "aborted") ctx.note(printed`Aborting on container exit...\n`);
      await this.#stopAll(session, followers, menu);
      await followers.drain();
      return why === "interrupted" ? 130 : this.#abortCode();
    } finally {
      release();
      await menu.close();
      followers.close();
      printer.flush();
      await session[Symbol.asyncDispose]();
    }
  }

  /** Everything but starting first, so that output and progress do not share the screen. */
  async #bringUp(
    session: Session,
    request: BringUpOptions,
    signal: AbortSignal,
    followers: Followers,
    menu: Menu,
    watches: boolean,
  ): Promise<void> {
    const onOutput = (name: string, text: string) => followers.hookOutput(name, text);
    await bringUp(session, this.#project, { ...request, start: false, run: { signal } });
    await session.endProgress();
    // before anything is said to have begun: a change right after must not be lost
    if (watches) await menu.startWatch();
    this.#isAttached = true;
    const names = await followers.begin();
    if (names.length > 0) this.#ctx.print(printed`Attaching to ${names.join(", ")}\n`);
    menu.show();
    const { images: _done, ...rest } = request;
    await bringUp(session, this.#project, {
      ...rest,
      recreate: "never",
      recreateDependencies: "never",
      ignoreOrphans: true,
      removeOrphans: false,
      skipProviders: true,
      // Missing images were brought by the first pass; nothing is pulled or built twice.
      images: { pull: "missing", noBuild: true },
      run: { signal, quiet: true, onOutput },
    });
  }

  /** The terminal is gone, the person perhaps not: containers run on, as they do under docker compose. */
  #onHangUp(): void {
    this.#hungUp = true;
    this.#starting.abort(cancelled());
    this.#end("detached");
  }

  #onInterrupt(count: number): void {
    this.#interrupted = true;
    if (count === 1) {
      if (this.#isAttached) this.#ctx.note(printed`\nGracefully Stopping... press Ctrl+C again to force\n`);
      this.#starting.abort(cancelled());
      this.#end("interrupted");
    } else this.#kill?.();
  }

  #onExit(service: string, code: number): void {
    if (service === this.#options.exitFrom) this.#exitFromCode ??= code;
    const aborts = this.#options.cascade === "exit" || (this.#options.cascade === "failure" && code !== 0);
    if (aborts) {
      this.#firstExit ??= code;
      this.#starting.abort(cancelled());
      this.#end("aborted");
    }
  }

  #abortCode(): number {
    if (this.#options.exitFrom !== undefined) return this.#exitFromCode ?? this.#firstExit ?? 0;
    return this.#firstExit ?? 0;
  }

  /** Stops the services of this command; a second interrupt kills them. */
  async #stopAll(session: Session, followers: Followers, menu: Menu): Promise<void> {
    // what a change has set going would start again what is stopped here
    await menu.endWatch();
    const killed = new AbortController();
    const { engine } = session;
    const { stopped } = this.#options;
    const services = stopped.length > 0 ? stopped : Object.keys(this.#project.services);
    const selection = { services, project: this.#project };
    this.#kill = () => {
      killed.abort();
      void (async () => {
        const now = await observe(engine, this.#project.name, { resources: false });
        await session.run(planKill(now, selection, "SIGKILL"), {
          signal: new AbortController().signal,
          besideLogs: true,
        });
      })().catch((error: unknown) => this.#ctx.warn(messageOf(error)));
    };
    const observed = await observe(engine, this.#project.name, { resources: false });
    const plan = planStop(observed, selection, { timeoutMs: this.#options.timeoutMs });
    try {
      await session.run(plan, {
        signal: killed.signal,
        besideLogs: true,
        onOutput: (name, text) => followers.hookOutput(name, text),
      });
    } catch (error) {
      if (!killed.signal.aborted) throw error;
    } finally {
      await session.endProgress();
    }
  }
}
