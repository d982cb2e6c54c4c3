/** Errors as text: code, message, place with a caret, hint, what went wrong while cleaning up. Pure. */
import { isTscError, messageOf, type SourcePlace } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { blanked } from "../../lib/printable.js";
import { systemError } from "../../lib/system-error.js";
import { joined, type Printed, painted, printed, printedJson } from "./printed.js";

/** How much of an error is shown, and whether in colours. */
export interface ErrorStyle {
  /** Adds causes and stack traces. */
  readonly verbose: boolean;
  readonly color: boolean;
}

/** The text for stderr, newline at the end. Anything that is no `TscError` becomes `TSC_INTERNAL` with a short message. */
export function renderError(error: unknown, style: ErrorStyle): Printed {
  return joined(partsOf(error).flatMap((one) => renderOne(one, style).flatMap((line) => [line, printed`\n`])));
}

/** One JSON object per error, for `--progress json`: docker compose's fields, and our code and hint. */
export function renderErrorJson(error: unknown): Printed {
  const lines = partsOf(error).map((one) => {
    const known = isTscError(one) ? one : undefined;
    const message = messageOf(one) || "unknown error";
    const hint = given({ hint: known?.hint });
    return printedJson({ error: true, message, code: known?.code ?? "TSC_INTERNAL", ...hint });
  });
  return joined(lines.flatMap((line) => [line, printed`\n`]));
}

function partsOf(error: unknown): readonly unknown[] {
  if (isTscError(error) && "errors" in error && Array.isArray(error.errors)) return error.errors.flatMap(partsOf);
  return [isTscError(error) ? error : (systemError(error) ?? error)];
}

function renderOne(error: unknown, style: ErrorStyle): readonly Printed[] {
  const known = isTscError(error) ? error : undefined;
  const code = known?.code ?? "TSC_INTERNAL";
  const paint = (format: Parameters<typeof painted>[0], text: Printed) => (style.color ? painted(format, text) : text);
  const message = messageOf(error) || "unknown error";
  // further lines stand behind a bar: none of them can pass for a hint or another error of ours
  const [first = "", ...rest] = message.split("\n");
  const lines = [joined([paint(["red", "bold"], printed`error[${code}]`), printed`: ${first}`])];
  for (const line of rest) lines.push(printed`  | ${line}`);
  if (known?.where !== undefined) lines.push(...place(known.where));
  for (const cause of causesOf(error)) if (!message.includes(cause)) lines.push(printed`  cause: ${cause}`);
  if (known?.hint !== undefined) lines.push(joined([paint("cyan", printed`  hint`), printed`: ${known.hint}`]));
  if (known === undefined && !style.verbose) {
    lines.push(printed`  hint: this is a fault of tscompose; --verbose shows where`);
  }
  for (const suppressed of known?.suppressed ?? []) lines.push(printed`  also: ${messageOf(suppressed)}`);
  if (style.verbose) lines.push(...stacks(error));
  return lines;
}

/** `--> file:line:column`, the line and a caret below it. */
function place(where: SourcePlace): readonly Printed[] {
  const gutter = String(where.line);
  const blank = " ".repeat(gutter.length);
  const head = printed`${blank} --> ${where.file}:${where.line}:${where.column}`;
  if (where.text === undefined) return [head];
  // blanks, not escapes: the caret stays below its character
  const text = blanked(where.text);
  // long lines are cut around the column so that the caret stays in view
  const start = Math.max(0, where.column - 1 - 80);
  const shown = text.slice(start, start + 160);
  return [
    head,
    printed`${blank} |`,
    printed`${gutter} | ${shown}`,
    printed`${blank} | ${" ".repeat(Math.max(0, where.column - 1 - start))}^`,
  ];
}

function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let current = error;
  for (let depth = 0; depth < 5; depth++) {
    if (typeof current !== "object" || current === null || !("cause" in current)) break;
    current = current.cause;
    if (current === undefined || current === null) break;
    const text = messageOf(current);
    if (text !== "" && !causes.includes(text)) causes.push(text);
  }
  return causes;
}

function stacks(error: unknown): readonly Printed[] {
  if (typeof error !== "object" || error === null || !("stack" in error)) return [];
  // the message, which may have lines of its own, stands before the calls
  const calls = String(error.stack)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  const own = calls.map((line) => printed`  ${line}`);
  const cause = "cause" in error ? stacks(error.cause) : [];
  return cause.length === 0 ? own : [...own, printed`  caused by:`, ...cause];
}
