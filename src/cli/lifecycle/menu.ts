/**
 * The keys of attached `up`: d detaches, w switches watching on and off, Ctrl-C interrupts. Puts the terminal into raw mode and
 * always restores it. Does nothing without a terminal.
 */
import type { Project } from "../../compose/model.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { isTrue } from "./options.js";

export interface MenuActions {
  readonly onDetach: () => void;
  readonly onInterrupt: (count: number) => void;
  readonly project: Project;
}
export interface Menu {
  /** `--watch`: as if w had been pressed. */
  startWatch(): void;
  close(): Promise<void>;
}

/** Opens the menu when it is wanted (`--menu`, COMPOSE_MENU, by default on a terminal). */
export function openMenu(ctx: CliContext, options: ParsedOptions, actions: MenuActions): Menu {
  let watching: { stop: () => void; done: Promise<void> } | undefined;
  const startWatch = (): void => {
    if (watching !== undefined) return;
    const stop = new AbortController();
    const done = (async () => {
      const { watchProject } = await import("./watch.js");
      await watchProject(ctx, actions.project, { signal: stop.signal, quiet: true });
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) ctx.warn(error instanceof Error ? error.message : String(error));
    });
    watching = { stop: () => stop.abort(), done };
  };
  const stopWatch = async (): Promise<void> => {
    const current = watching;
    watching = undefined;
    current?.stop();
    await current?.done;
  };
  const wanted = options.given("menu")
    ? options.flag("menu")
    : ctx.env["COMPOSE_MENU"] === undefined || isTrue(ctx.env["COMPOSE_MENU"]);
  if (!wanted || !ctx.isTty.stdin || !ctx.isTty.stdout || typeof ctx.stdin.setRawMode !== "function") {
    return { startWatch, close: stopWatch };
  }
  let interrupts = 0;
  const onData = (data: Buffer): void => {
    for (const key of data.toString("latin1")) {
      if (key === "\u0003") actions.onInterrupt(++interrupts);
      else if (key === "d") actions.onDetach();
      else if (key === "w") {
        if (watching === undefined) startWatch();
        else void stopWatch();
        ctx.note(`Watch ${watching === undefined ? "disabled" : "enabled"}\n`);
      }
    }
  };
  ctx.stdin.setRawMode(true);
  ctx.stdin.on("data", onData);
  ctx.stdin.resume();
  ctx.note("w Enable Watch   d Detach\n");
  return {
    startWatch,
    async close() {
      ctx.stdin.off("data", onData);
      ctx.stdin.setRawMode(false);
      ctx.stdin.pause();
      await stopWatch();
    },
  };
}
