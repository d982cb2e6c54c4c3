/** The last of what a program said, for the error that tells of its failure. docker compose's limits. */
import { printable } from "../../lib/printable.js";

const MAX_LINES = 10;
const MAX_BYTES = 2048;

/** Lives while one stream is read. */
export class OutputTail {
  readonly #lines: string[] = [];

  /** A line without its end; of one that rewinds the cursor the last state counts. */
  push(line: string): void {
    const shown = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
    if (shown.trim() === "") return;
    this.#lines.push(shown.slice(0, MAX_BYTES));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  /** The last lines; empty when nothing was said. */
  get text(): string {
    const all = Buffer.from(this.#lines.join("\n").trim());
    return this.#lines.length === 0 ? "" : tailOf(all);
  }
}

/** Cut at a whole character. */
function tailOf(bytes: Buffer): string {
  let start = Math.max(0, bytes.length - MAX_BYTES);
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes
    .toString("utf8", start)
    .split("\n")
    .map((line) => printable(line, MAX_BYTES))
    .join("\n");
}
