/**
 * The keys of attached `up`: v shows the containers, o the resolved configuration, w switches watching on and off, d detaches, Ctrl-C
 * interrupts. Puts the terminal into raw mode and always restores it. Does nothing without a terminal.
 */
import { styleText } from "node:util";
import type { Project } from "../../compose/model.js";
import { messageOf } from "../../lib/errors.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { isTrue } from "../globals.js";
import { Footer } from "../render/footer.js";
import { type LogPrinter, wantsColor } from "../render/log-printer.js";
import { printed } from "../render/printed.js";

/** What keys do to the attached command, and what `w` watches; `count` starts at 1. */
export interface MenuActions {
  readonly onDetach: () => void;
  readonly onInterrupt: (count: number) => void;
  readonly watch: Watched;
}
/** What is watched, and where that is told. */
interface Watched {
  readonly project: Project;
  readonly printer: LogPrinter;
  readonly reload: () => Promise<Project>;
}
/** The keys of one attached `up`, and its watching, which works without a terminal as well. `close` restores the terminal. */
export interface Menu {
  /** Draws the line of keys below the output, from now on. */
  show(): void;
  /** Takes it away; the keys go on to work. */
  hide(): void;
  /** `--watch`: as if w had been pressed. Resolves once changes are seen; they are acted upon after `started`. */
  startWatch(): Promise<void>;
  /** Everything runs. */
  started(): void;
  /** Nothing is changed any more. */
  endWatch(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the menu when it is wanted (`--menu`, COMPOSE_MENU, by default on a terminal). */
export function openMenu(ctx: CliContext, options: ParsedOptions, actions: MenuActions): Menu {
  const watching = new Watching(ctx, actions.watch);
  const wanted = options.given("menu")
    ? options.flag("menu")
    : ctx.env["COMPOSE_MENU"] === undefined || isTrue(ctx.env["COMPOSE_MENU"]);
  if (!wanted || !ctx.isTty.stdin || !ctx.isTty.stdout || typeof ctx.stdin.setRawMode !== "function") {
    const nothing = () => undefined;
    return {
      show: nothing,
      hide: nothing,
      startWatch: () => watching.start(),
      started: () => watching.release(),
      endWatch: () => watching.stop(),
      close: () => watching.stop(),
    };
  }
  let footer: Footer | undefined;
  let interrupts = 0;
  const text = () => menuText(watching.isOn, ctx.stdout.columns ?? 80, wantsColor(ctx));
  const keys: Readonly<Record<string, () => void>> = {
    "\u0003": () => actions.onInterrupt(++interrupts),
    d: actions.onDetach,
    v: () => void print(ctx, "ps"),
    o: () => void print(ctx, "config"),
    w: () => {
      if (watching.isOn) void watching.stop();
      else void watching.start();
      footer?.set(text());
    },
  };
  const onData = (data: Buffer): void => {
    for (const key of data.toString("latin1")) keys[key]?.();
  };
  const onResize = () => footer?.set(text());
  const hide = () => {
    footer?.[Symbol.dispose]();
    footer = undefined;
  };
  watching.onEnd = onResize;
  ctx.stdin.setRawMode(true);
  ctx.stdin.on("data", onData);
  ctx.stdin.resume();
  ctx.stdout.on("resize", onResize);
  return {
    show() {
      footer ??= new Footer(ctx.isTty.stderr ? [ctx.stdout, ctx.stderr] : [ctx.stdout], text());
    },
    hide,
    async startWatch() {
      await watching.start();
      onResize();
    },
    started: () => watching.release(),
    endWatch: () => watching.stop(),
    async close() {
      hide();
      ctx.stdout.off("resize", onResize);
      ctx.stdin.off("data", onData);
      ctx.stdin.setRawMode(false);
      ctx.stdin.pause();
      await watching.stop();
    },
  };
}

/** `v View Containers   o View Config   w Enable Watch   d Detach`, or in fewer words on a narrow terminal. */
function menuText(isWatching: boolean, columns: number, color: boolean): string {
  const paint = (format: "bold" | "dim", text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const long = [
    ["v", "View Containers"],
    ["o", "View Config"],
    ["w", isWatching ? "Disable Watch" : "Enable Watch"],
    ["d", "Detach"],
  ] as const;
  const short = [
    ["v", "ps"],
    ["o", "config"],
    ["w", isWatching ? "unwatch" : "watch"],
    ["d", "detach"],
  ] as const;
  const width = (items: readonly (readonly [string, string])[]) =>
    items.reduce((sum, [key, words]) => sum + key.length + words.length + 4, 0);
  const items = [long, short].find((one) => width(one) < columns) ?? short.slice(-1);
  return items.map(([key, words]) => `${paint("bold", key)} ${paint("dim", words)}`).join("   ");
}

/** Runs a command that only shows something, on the same project. */
async function print(ctx: CliContext, name: "ps" | "config"): Promise<void> {
  try {
    const { command } = name === "ps" ? await import("../commands/ps.js") : await import("../commands/config.js");
    const { parseWords } = await import("../parse.js");
    const parsed = parseWords({ path: `tscompose ${name}`, options: command.options, args: command.args }, []);
    if (parsed !== "help") await command.run(ctx, parsed.args, parsed.options);
  } catch (error) {
    ctx.warn(messageOf(error));
  }
}

/** Watching that can be switched on and off. */
class Watching {
  readonly #ctx: CliContext;
  readonly #watched: Watched;
  readonly #allRun: Promise<void>;
  #current: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  /** Changes are acted upon from now on: everything runs. */
  release: () => void = () => undefined;
  /** Called when watching could not go on. */
  onEnd: () => void = () => undefined;

  constructor(ctx: CliContext, watched: Watched) {
    this.#ctx = ctx;
    this.#watched = watched;
    this.#allRun = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  get isOn(): boolean {
    return this.#current !== undefined;
  }

  /** Resolves once it watches, or has failed to. */
  async start(): Promise<void> {
    if (this.#current !== undefined) return;
    const stop = new AbortController();
    const opening = this.#open(stop.signal);
    const current = {
      stop,
      done: opening
        .then(async (watch) => {
          await using _open = watch;
          await Promise.race([this.#allRun, aborted(stop.signal)]);
          await watch.run();
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          this.#ctx.note(printed`watch: ${messageOf(error)}\n`);
          if (this.#current === current) this.#current = undefined;
          this.onEnd();
        }),
    };
    this.#current = current;
    await opening.catch(() => undefined);
  }

  async stop(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.stop.abort();
    await current?.done;
  }

  async #open(signal: AbortSignal) {
    const { openWatch } = await import("./watch.js");
    const { project, printer, reload } = this.#watched;
    return await openWatch(this.#ctx, project, { signal, quiet: true, besideLogs: true, printer, reload });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
