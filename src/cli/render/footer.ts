/**
 * One line that stays at the bottom of the terminal while other output scrolls above it. Every writer keeps writing to its stream as
 * before: the streams' `write` is wrapped, so that the line is taken away before each write and drawn again after it.
 */
import { cut } from "./progress-lines.js";

const ERASE = "\r\u001b[2K";

/** Lives between `open` and `close`; afterwards the streams are as they were and the line is gone. */
export class Footer implements Disposable {
  readonly #screen: NodeJS.WriteStream;
  readonly #restore: (() => void)[] = [];
  readonly #draw: (text: string) => void;
  #text: string;
  #isDrawn = false;

  /** `streams` all end on the terminal of the first. `text` is shown cut to the width; styles in it must end within it. */
  constructor(streams: readonly [NodeJS.WriteStream, ...NodeJS.WriteStream[]], text: string) {
    const [screen] = streams;
    this.#screen = screen;
    this.#text = text;
    this.#draw = screen.write.bind(screen);
    for (const stream of new Set(streams)) {
      const { write } = stream;
      const pass = write.bind(stream) as (...args: unknown[]) => boolean;
      const wrapped = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
        this.#erase();
        const ready = pass(chunk, ...rest);
        // a line that is not ended yet keeps its place
        if (endsLine(chunk)) this.#show();
        return ready;
      };
      stream.write = wrapped;
      this.#restore.push(() => {
        stream.write = write;
      });
    }
    const onResize = () => {
      this.#erase();
      this.#show();
    };
    screen.on("resize", onResize);
    this.#restore.push(() => screen.off("resize", onResize));
    this.#show();
  }

  /** Shows another text from now on. */
  set(text: string): void {
    this.#text = text;
    if (!this.#isDrawn) return;
    this.#erase();
    this.#show();
  }

  [Symbol.dispose](): void {
    this.#erase();
    for (const undo of this.#restore.splice(0)) undo();
  }

  #show(): void {
    this.#draw(`${cut(this.#text, (this.#screen.columns ?? 80) - 1)}\r`);
    this.#isDrawn = true;
  }

  #erase(): void {
    if (!this.#isDrawn) return;
    this.#draw(ERASE);
    this.#isDrawn = false;
  }
}

function endsLine(chunk: Uint8Array | string): boolean {
  return typeof chunk === "string" ? chunk.endsWith("\n") : chunk.at(-1) === 0x0a;
}
