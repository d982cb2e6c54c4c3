/** No progress; warnings still show, and what a failed build wrote last. */
import { plainLine } from "./plain.js";
import { type PrintedStream, printed } from "./printed.js";
import type { Progress } from "./progress.js";
import { applyUpdate, failureLines, newBoard } from "./progress-state.js";

/** Writes only what a person must know. */
export function quietProgress(stream: PrintedStream): Progress {
  const board = newBoard();
  return {
    update(update) {
      applyUpdate(board, update, 0);
      // what fails is told as the command's error
      if (update.kind === "item" && update.status === "warning") stream.write(printed`${plainLine(update)}\n`);
    },
    line() {},
    async end() {
      for (const item of board.items.values()) {
        for (const line of failureLines(board, item)) stream.write(printed`${line}\n`);
      }
      board.items.clear();
      board.output.clear();
    },
  };
}
