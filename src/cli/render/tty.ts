/**
 * The live display: one listr2 task drawn by a renderer whose picture is the board of progress-state.ts. listr2 owns the cursor,
 * redrawing and what others write meanwhile; we own what is drawn. `end` leaves the last picture and a visible cursor.
 */
import { styleText } from "node:util";
import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from "listr2";
import type { Progress } from "./progress.js";
import { boardLines, type Painter } from "./progress-lines.js";
import { applyUpdate, failureLines, newBoard } from "./progress-state.js";
import { displayWidth } from "./table.js";

const INTERRUPTED = "interrupted: ending what is under way, Ctrl+C again leaves at once";

/** The look of the live display, and what tells it of an interruption. */
export interface TtyOptions {
  readonly color: boolean;
  /** The verb of the first line. */
  readonly title: string;
  /** Once it is aborted the display says what is being waited for. */
  readonly signal?: AbortSignal;
}

/** Starts drawing on the first update, so that a command without work draws nothing. */
export function ttyProgress(stream: NodeJS.WriteStream, options: TtyOptions): Progress {
  const board = newBoard();
  const paint = painter(options.color);
  let finish: (() => void) | undefined;
  let running: Promise<unknown> | undefined;
  const lines: string[] = [];
  let ended = false;
  const output = new ProcessOutput(stream, stream, { leaveEmptyLine: false });
  const drawn = { columns: 0, lines: [] as readonly string[] };

  class BoardRenderer extends DefaultRenderer {
    override create(): string {
      const columns = stream.columns ?? 80;
      const picture = boardLines(
        board,
        {
          columns,
          rows: ended ? Number.POSITIVE_INFINITY : (stream.rows ?? 24),
          nowMs: performance.now(),
          title: options.title,
          ...(options.signal?.aborted === true && !ended ? { notice: INTERRUPTED } : {}),
        },
        paint,
      );
      Object.assign(drawn, { columns, lines: picture });
      return picture.join("\n");
    }

    /** A screen made narrower has folded the last picture: log-update knows only its lines, not the rows they take now. */
    override update(): void {
      const columns = stream.columns ?? 80;
      if (columns < drawn.columns) {
        const folds = drawn.lines.map((text) => Math.max(0, Math.ceil(displayWidth(text) / columns) - 1));
        output.toStdout("\u001b[2K\u001b[1A".repeat(folds.reduce((sum, more) => sum + more, 0)), false);
      }
      super.update();
    }
  }

  function start(): void {
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    // a ^C that the terminal has echoed would push the first line over the edge
    stream.write("\r");
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
      for (const item of board.items.values()) lines.unshift(...failureLines(board, item));
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
