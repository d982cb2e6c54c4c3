/**
 * Lines of many containers on one screen: `web-1  | text`, prefixes padded to the widest name, one colour each. Lines that arrive
 * in pieces are joined; their text is the container's and passes as it is, as in docker. Used by `logs` and by attached `up`.
 */
import type { LogLine } from "../../engine/types.js";
import { joined, type Printed, painted, printed } from "./printed.js";

/** Where lines go and what stands in front of their text. */
export interface LogPrinterOptions {
  readonly stdout: Pick<NodeJS.WriteStream, "write">;
  /** Where lines of stderr go; `stdout` again when everything shall stay together. */
  readonly stderr: Pick<NodeJS.WriteStream, "write">;
  readonly color: boolean;
  readonly prefix: boolean;
  readonly timestamps: boolean;
}

/** Takes lines by the names that they are shown under, and writes whole lines. */
export interface LogPrinter {
  /** Announces a name, so that prefixes line up before its first line; keeps its colour when it comes again. */
  register(name: string): void;
  /** A line, or a piece of one, which waits for the rest. */
  log(name: string, line: LogLine): void;
  /** A line of a hook that runs in the container: on stdout as `web-1 -> | text`, whichever stream it came from, as in docker compose. */
  hook(name: string, text: string): void;
  /** `web-1 exited with code 0`, on stdout, after what the container has written. */
  status(name: string, text: string): void;
  /** What `watch` tells: on stdout, marked apart from containers' lines. */
  watch(text: Printed): void;
  /** A line of a command that `watch` runs: as it is, as in docker compose. */
  bare(stream: "stdout" | "stderr", text: string): void;
  /** Prints what has no line end yet. */
  flush(): void;
}

/** docker compose's cycle: the six colours, then the bright ones. */
const COLORS = [
  "cyan",
  "yellow",
  "green",
  "magenta",
  "blue",
  "cyanBright",
  "yellowBright",
  "greenBright",
  "magentaBright",
  "blueBright",
] as const;
/** docker compose's: a circled bullet. */
const WATCH_MARK = "\u29bf";
const MAX_PIECE = 1 << 20;

/** A printer without names yet; a line that comes in pieces is printed when it has reached 2^20 characters, ended or not. */
export function createLogPrinter(options: LogPrinterOptions): LogPrinter {
  const colors = new Map<string, (typeof COLORS)[number]>();
  const pieces = new Map<string, { line: LogLine; text: string; name: string }>();
  const prefixes = new Map<string, string>();
  let width = 0;

  function register(name: string): void {
    if (colors.has(name)) return;
    // what runs in a container has its colour
    const [root = name] = name.split(" ");
    colors.set(name, colors.get(root) ?? COLORS[colors.size % COLORS.length] ?? "cyan");
    if (name.length <= width) return;
    width = name.length;
    prefixes.clear();
  }
  function paint(name: string, text: Printed): Printed {
    const color = colors.get(name);
    return options.color && color !== undefined ? painted(color, text) : text;
  }
  function prefixOf(name: string): string {
    if (!options.prefix) return "";
    const known = prefixes.get(name);
    if (known !== undefined) return known;
    const made = paint(name, printed`${name.padEnd(width + 1)} | `);
    prefixes.set(name, made);
    return made;
  }
  function write(name: string, line: LogLine, text: string): void {
    const stream = line.stream === "stderr" ? options.stderr : options.stdout;
    stream.write(`${prefixOf(name)}${options.timestamps ? `${line.time.replace("+00:00", "Z")} ` : ""}${text}\n`);
  }

  function flush(of?: string): void {
    for (const [key, { line, text, name }] of pieces) {
      if (of !== undefined && name !== of) continue;
      pieces.delete(key);
      write(name, line, text);
    }
  }

  return {
    register,
    log(name, line) {
      register(name);
      const key = `${line.stream}\0${name}`;
      const before = pieces.get(key);
      const text = before === undefined ? line.text : before.text + line.text;
      if (line.partial && text.length < MAX_PIECE) {
        pieces.set(key, { line: before?.line ?? line, text, name });
        return;
      }
      if (before !== undefined) pieces.delete(key);
      write(name, before?.line ?? line, text.endsWith("\r") ? text.slice(0, -1) : text);
    },
    hook(name, text) {
      const whose = `${name} ->`;
      register(whose);
      write(whose, { stream: "stdout", time: new Date().toISOString(), text, partial: false }, text);
    },
    status(name, text) {
      register(name);
      flush(name);
      options.stdout.write(joined([paint(name, printed`${name} ${text}`), printed`\n`]));
    },
    watch(text) {
      const mark = printed`${" ".repeat(width + 1)} ${WATCH_MARK} `;
      const prefix = options.color ? painted("greenBright", mark) : mark;
      options.stdout.write(joined([...(options.prefix ? [prefix] : []), text, printed`\n`]));
    },
    bare(stream, text) {
      (stream === "stderr" ? options.stderr : options.stdout).write(`${text}\n`);
    },
    flush() {
      flush();
    },
  };
}

/** Colours on for a terminal, `--ansi=always`, and never with NO_COLOR. */
export function wantsColor(context: {
  readonly globals: { readonly ansi: "auto" | "never" | "always" };
  readonly isTty: { readonly stdout: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}): boolean {
  const { ansi } = context.globals;
  if (ansi !== "auto") return ansi === "always";
  return context.isTty.stdout && (context.env.NO_COLOR ?? "") === "";
}
