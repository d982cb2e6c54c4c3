/** Errors as text: code, message, place with a caret, hint, what went wrong while cleaning up. Pure. */
import { stripVTControlCharacters, styleText } from "node:util";
import { isTscError, messageOf, type SourcePlace } from "../../lib/errors.js";
import { systemError } from "../../lib/system-error.js";

export interface ErrorStyle {
  /** Adds causes and stack traces. */
  readonly verbose: boolean;
  readonly color: boolean;
}

/** The text for stderr, newline at the end. Anything that is no `TscError` becomes `TSC_INTERNAL` with a short message. */
export function renderError(error: unknown, style: ErrorStyle): string {
  const list = partsOf(error);
  return list.map((one) => renderOne(one, style)).join("");
}

/** One JSON object per error, for `--progress json`: docker compose's fields, and our code and hint. */
export function renderErrorJson(error: unknown): string {
  return partsOf(error)
    .map((one) => {
      const known = isTscError(one) ? one : undefined;
      const message = clean(messageOf(one)) || "unknown error";
      const hint = known?.hint === undefined ? {} : { hint: clean(known.hint) };
      return `${JSON.stringify({ error: true, message, code: known?.code ?? "TSC_INTERNAL", ...hint })}\n`;
    })
    .join("");
}

function partsOf(error: unknown): readonly unknown[] {
  if (isTscError(error) && "errors" in error && Array.isArray(error.errors)) return error.errors.flatMap(partsOf);
  return [isTscError(error) ? error : (systemError(error) ?? error)];
}

function renderOne(error: unknown, style: ErrorStyle): string {
  const known = isTscError(error) ? error : undefined;
  const code = known?.code ?? "TSC_INTERNAL";
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    style.color ? styleText(format, text, { validateStream: false }) : text;
  const message = clean(messageOf(error)) || "unknown error";
  const lines = [`${paint(["red", "bold"], `error[${code}]`)}: ${message}`];
  if (known?.where !== undefined) lines.push(...place(known.where));
  for (const cause of causesOf(error)) if (!message.includes(cause)) lines.push(`  cause: ${cause}`);
  if (known?.hint !== undefined) lines.push(`${paint("cyan", "  hint")}: ${clean(known.hint)}`);
  if (known === undefined && !style.verbose) lines.push("  hint: this is a fault of tscompose; --verbose shows where");
  for (const suppressed of known?.suppressed ?? []) lines.push(`  also: ${clean(messageOf(suppressed))}`);
  if (style.verbose) lines.push(...stacks(error));
  return `${lines.join("\n")}\n`;
}

/** `--> file:line:column`, the line and a caret below it. */
function place(where: SourcePlace): readonly string[] {
  const gutter = String(where.line);
  const blank = " ".repeat(gutter.length);
  const head = `${blank} --> ${clean(where.file)}:${where.line}:${where.column}`;
  if (where.text === undefined) return [head];
  const text = clean(where.text.replaceAll("\t", " "));
  // long lines are cut around the column so that the caret stays in view
  const start = Math.max(0, where.column - 1 - 80);
  const shown = text.slice(start, start + 160);
  return [
    head,
    `${blank} |`,
    `${gutter} | ${shown}`,
    `${blank} | ${" ".repeat(Math.max(0, where.column - 1 - start))}^`,
  ];
}

function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let current = error;
  for (let depth = 0; depth < 5; depth++) {
    if (typeof current !== "object" || current === null || !("cause" in current)) break;
    current = current.cause;
    if (current === undefined || current === null) break;
    const text = clean(messageOf(current));
    if (text !== "" && !causes.includes(text)) causes.push(text);
  }
  return causes;
}

function stacks(error: unknown): readonly string[] {
  if (typeof error !== "object" || error === null || !("stack" in error)) return [];
  const own = String(error.stack).split("\n").slice(1).map(clean2);
  const cause = "cause" in error ? stacks(error.cause) : [];
  return cause.length === 0 ? own : [...own, "  caused by:", ...cause];
}

const clean2 = (line: string) => `  ${clean(line)}`;

/** Keeps line breaks and blanks; removes everything a terminal would obey. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is being removed
  return stripVTControlCharacters(text).replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, " ");
}
