/** The messages of conmon's sync and attach pipes. Starts nothing. */
import type { Readable } from "node:stream";
import { TscError } from "../../lib/errors.js";

/** One message of conmon: a pid, an exit code, or what went wrong. */
interface SyncLine {
  readonly data: number;
  readonly message?: string;
}

/** Lines of JSON, one per message; bytes that JSON forbids are tolerated because conmon does not escape them all. */
export class SyncPipe {
  readonly #stream: Readable;
  readonly #lines: SyncLine[] = [];
  #text = "";
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on("data", (data: Buffer) => {
      this.#text += data.toString("latin1");
      for (let at = this.#text.indexOf("\n"); at !== -1; at = this.#text.indexOf("\n")) {
        this.#lines.push(parseSyncLine(Buffer.from(this.#text.slice(0, at), "latin1").toString()));
        this.#text = this.#text.slice(at + 1);
      }
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on("end", end);
    stream.on("close", end);
    stream.on("error", end);
  }

  /** The next line; undefined when the pipe ends first. `TSC_CONMON_TIMEOUT` after `timeoutMs`. */
  async next(timeoutMs: number | undefined): Promise<SyncLine | undefined> {
    let timer: NodeJS.Timeout | undefined;
    let timedOut = false;
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        timedOut = true;
        this.#wake?.();
      }, timeoutMs);
    }
    try {
      while (this.#lines.length === 0 && !this.#ended) {
        if (timedOut) throw new TscError("TSC_CONMON_TIMEOUT", "conmon did not answer", { kind: "timeout" });
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
    return this.#lines.shift();
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** `{"data": N}` or `{"data": -1, "message": "…"}`, read leniently. */
export function parseSyncLine(text: string): SyncLine {
  const data = Number(/"data"\s*:\s*(-?\d+)/.exec(text)?.[1] ?? "-1");
  const raw = /"message"\s*:\s*"(.*)"\s*\}\s*$/s.exec(text)?.[1];
  if (raw === undefined) return { data };
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };
  const message = raw.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_whole, code: string) =>
    code.length === 5 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
  );
  return { data, message };
}
