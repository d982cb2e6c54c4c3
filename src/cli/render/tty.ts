/**
 * The live display: one listr2 task drawn by a renderer whose picture is the board of progress-state.ts. listr2 owns the cursor,
 * redrawing and what others write meanwhile; we own what is drawn. `end` leaves the last picture and a visible cursor.
 */
import { styleText } from "node:util";
import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from "listr2";
import type { Progress } from "./progress.js";
import { applyUpdate, boardLines, newBoard, type Painter } from "./progress-state.js";

/** Starts drawing on the first update, so that a command without work draws nothing. */
export function ttyProgress(stream: NodeJS.WriteStream, color: boolean): Progress {
  const board = newBoard();
  const paint = painter(color);
  let finish: (() => void) | undefined;
  let running: Promise<unknown> | undefined;
  const lines: string[] = [];
  let ended = false;

  class BoardRenderer extends DefaultRenderer {
    override create(): string {
      const screen = { columns: stream.columns ?? 80, rows: ended ? Number.POSITIVE_INFINITY : (stream.rows ?? 24) };
      return boardLines(board, performance.now(), screen, paint).join("\n");
    }
  }

  function start(): void {
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const output = new ProcessOutput(stream, stream, { leaveEmptyLine: false });
    running = new Listr([{ title: "progress", task: () => finished }], {
      renderer: BoardRenderer,
      rendererOptions: { logger: new ListrLogger({ processOutput: output }) },
      registerSignalListeners: false,
      // listr2 looks at standard output, which may be a file while we draw on standard error
      forceTTY: true,
      fallbackRendererCondition: () => false,
    }).run();
  }

  return {
    update(update) {
      applyUpdate(board, update, performance.now());
      if (running === undefined) start();
    },
    line(text) {
      if (running === undefined) stream.write(`${text}\n`);
      else lines.push(text);
    },
    async end() {
      if (running === undefined) return;
      ended = true;
      finish?.();
      await running;
      running = undefined;
      ended = false;
      board.items.clear();
      board.output.clear();
      for (const text of lines.splice(0)) stream.write(`${text}\n`);
    },
  };
}

function painter(color: boolean): Painter {
  if (!color) return (_, text) => text;
  const formats = { done: "green", working: "cyan", warning: "yellow", error: "red", dim: "dim" } as const;
  return (style, text) => styleText(formats[style], text, { validateStream: false });
}
