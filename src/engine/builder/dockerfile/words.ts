/** Splits instruction arguments into words, leaving quotes and escapes in place. Pure. */
import { editDistance } from "../../../lib/nearest.js";

/** Words separated by blanks outside quotes. */
export function splitWords(text: string, escapeMark: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let isWord = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (c === escapeMark && quote !== "'" && i + 1 < text.length) {
      word += c + (text[++i] ?? "");
      isWord = true;
    } else if (quote !== "") {
      word += c;
      if (c === quote) quote = "";
    } else if (c === '"' || c === "'") {
      quote = c;
      word += c;
      isWord = true;
    } else if (/\s/.test(c)) {
      if (isWord) words.push(word);
      word = "";
      isWord = false;
    } else {
      word += c;
      isWord = true;
    }
  }
  if (isWord) words.push(word);
  return words;
}

/** The strings of a JSON array, or undefined when the text is not one. */
export function parseJsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The nearest of `known` within two edits, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    if (Math.abs(word.length - candidate.length) >= bestDistance) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Without the quotes around the whole. */
export function unquote(text: string): string {
  return /^(["'])([\s\S]*)\1$/.exec(text)?.[2] ?? text;
}
