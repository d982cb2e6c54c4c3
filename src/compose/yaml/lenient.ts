/**
 * Quoted scalars and `[…]`, `{…}` whose further lines stand left of where YAML wants them: the reference's parser does not
 * look at their indentation, ours does. Blanks at the start of such lines mean nothing, so lines are moved and read again.
 */
import { isCollection, isScalar, visit } from "yaml";
import type { AnyDocument } from "./locate.js";

/** Characters that are parsed again at most: what is beyond is a mistake, or a bomb. */
const BUDGET = 4 * 1024 * 1024;
const MAX_MOVED = 256;

/**
 * The text with the lines of what was being read at `problem` (an offset) moved to the right; undefined when there is
 * nothing to move. `moved` counts the earlier calls for this text.
 */
export function moveLines(text: string, document: AnyDocument, problem: number, moved: number): string | undefined {
  if (moved >= MAX_MOVED || (moved + 1) * text.length > BUDGET) return undefined;
  const start = openAt(document, problem);
  if (start === undefined) return undefined;
  const end = closing(text, start);
  if (end === undefined) return undefined;
  const body = text.slice(start, end);
  // a line `---` or `...` ends the document even inside quotes
  if (/\n(?:---|\.\.\.)(?:\s|$)/.test(body)) return undefined;
  const column = start - text.lastIndexOf("\n", start) - 1;
  const indented = body.replace(/\n[ \t]*(?=\S)/g, `\n${" ".repeat(column + 1)}`);
  return indented === body ? undefined : text.slice(0, start) + indented + text.slice(end);
}

/** Line breaks of YAML 1.1 alone (§4.2), which the reference's parser still breaks lines at. */
export const OLD_BREAKS = /[\u0085\u2028\u2029]/g;

/** The text with those breaks as line feeds, offsets kept; the separators inside quotes stay, where folding keeps them as well. */
export function breakLines(text: string, documents: readonly AnyDocument[]): string {
  const quoted: [number, number][] = [];
  for (const document of documents) {
    visit(document, {
      Scalar(_key, { type, range }) {
        const isQuoted = type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";
        if (isQuoted && range !== undefined && range !== null) quoted.push([range[0], range[1]]);
      },
    });
  }
  const isKept = (at: number): boolean => quoted.some(([from, to]) => from <= at && at < to);
  return text.replace(OLD_BREAKS, (found, at: number) => (found !== "\u0085" && isKept(at) ? found : "\n"));
}

/** Where the last quoted scalar or outermost flow collection before an offset begins. */
function openAt(document: AnyDocument, before: number): number | undefined {
  let start: number | undefined;
  visit(document, {
    Node(_key, node) {
      const at = node.range?.[0];
      if (at === undefined || at >= before) return undefined;
      const isFlow = isCollection(node) && node.flow === true;
      const isQuoted = isScalar(node) && (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE");
      if (isFlow || isQuoted) start = at;
      return isFlow ? visit.SKIP : undefined;
    },
  });
  return start;
}

/** The offset behind what opens at `start`: quotes and brackets matched, comments skipped. */
function closing(text: string, start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "'") {
      // inside a plain scalar (`it's`) a quote is an ordinary character
      if (i > start && /[^\s[{,:]/.test(text[i - 1] ?? "")) continue;
      i = closingQuote(text, i, c);
      if (i < 0) return undefined;
    } else if (c === "#" && /\s/.test(text[i - 1] ?? "")) {
      i = text.indexOf("\n", i);
      if (i < 0) return undefined;
    } else if (c === "[" || c === "{") depth++;
    else if (c === "]" || c === "}") depth--;
    if (depth === 0) return i + 1;
  }
  return undefined;
}

function closingQuote(text: string, offset: number, quote: string): number {
  for (let i = offset + 1; i < text.length; i++) {
    if (text[i] === "\\" && quote === '"') i++;
    else if (text[i] === quote) {
      if (quote === '"' || text[i + 1] !== "'") return i;
      i++;
    }
  }
  return -1;
}
