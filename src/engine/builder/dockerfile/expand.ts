/** Variable expansion and quote removal of Dockerfile words (the reference's "Environment replacement"). Pure. */
import { PatternError, type ShellGlob, shellGlob } from "../../../lib/glob.js";

/** How the words of an instruction are expanded. */
export interface ExpandOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape: "\\" | "`";
  /** Leave quotes and their meaning alone: here-documents are text, not words. */
  readonly keepQuotes?: boolean;
  /** Leave variables without a value as they are written: for words that are only shown. */
  readonly keepUnset?: boolean;
  /** Characters that may still come out, over many words; what comes out is taken from it. */
  readonly budget?: ExpandBudget;
}

/** Counts down what all words of a file become together. */
export interface ExpandBudget {
  left: number;
}

/** For one file: far more than the largest image configuration (4 MiB), far less than memory. */
export function expandBudget(): ExpandBudget {
  return { left: 64 << 20 };
}

/**
 * The most a word or text may become, bytes of UTF-16. The kernel takes no longer word in an environment or a command line (128 KiB),
 * and `ENV a=$a$a` doubles with every line.
 */
const MAX_EXPANDED = 1 << 20;
const MAX_DEPTH = 64;
/**
 * Positions of a pattern times characters of a value: what one match may cost, about a second. Matching is linear in both, but nothing
 * interrupts it, and a value and a pattern of a file's own size are a matter of minutes.
 */
const MAX_MATCH_COST = 1 << 24;

/** The error of `${name?message}`, unended braces and unknown modifiers; the caller adds the place. */
export class ExpandError extends Error {}

/** One word: variables replaced, quotes removed. */
export function expandWord(word: string, options: ExpandOptions): string {
  const expanded = new Expansion(word, options).run();
  if (options.budget !== undefined) spend(options.budget, expanded.length);
  return expanded;
}

/** Takes from a budget; throws `ExpandError` when it is used up. */
export function spend(budget: ExpandBudget, characters: number): void {
  budget.left -= characters;
  if (budget.left < 0) throw new ExpandError("the values of this file become too large together");
}

/** Names of the variables that a word mentions, in any form. */
export function variablesIn(word: string, escapeMark: "\\" | "`"): string[] {
  const names: string[] = [];
  const lookup = (name: string): string => {
    names.push(name);
    return "";
  };
  try {
    expandWord(word, { lookup, escape: escapeMark });
  } catch (error) {
    if (!(error instanceof ExpandError)) throw error;
  }
  return names;
}

class Expansion {
  readonly #text: string;
  readonly #options: ExpandOptions;
  #at = 0;
  #depth = 0;

  constructor(text: string, options: ExpandOptions) {
    this.#text = text;
    this.#options = options;
  }

  run(): string {
    return this.#until("");
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #until(stop: string): string {
    const { escape: escapeMark, keepQuotes = false } = this.#options;
    let out = "";
    while (this.#at < this.#text.length && (stop === "" || !stop.includes(this.#peek()))) {
      const c = this.#peek();
      if (c === "'" && !keepQuotes) {
        const end = this.#text.indexOf("'", this.#at + 1);
        if (end < 0) throw new ExpandError("unexpected end of statement while looking for matching single-quote");
        out += this.#text.slice(this.#at + 1, end);
        this.#at = end + 1;
      } else if (c === '"' && !keepQuotes) {
        out += this.#doubleQuoted();
      } else if (c === "$") {
        out = this.#checked(out + this.#dollar());
      } else if (c === escapeMark && this.#at + 1 < this.#text.length) {
        const next = this.#text[this.#at + 1] ?? "";
        out += keepQuotes && next !== "$" && next !== escapeMark ? c + next : next;
        this.#at += 2;
      } else {
        out += c;
        this.#at++;
      }
    }
    return out;
  }

  #doubleQuoted(): string {
    const { escape: escapeMark } = this.#options;
    let out = "";
    this.#at++;
    for (;;) {
      const c = this.#peek();
      if (c === "") throw new ExpandError("unexpected end of statement while looking for matching double-quote");
      if (c === '"') {
        this.#at++;
        return out;
      }
      if (c === "$") {
        out = this.#checked(out + this.#dollar());
      } else if (c === escapeMark) {
        const next = this.#text[this.#at + 1] ?? "";
        out += next === '"' || next === "$" || next === escapeMark ? next : c + next;
        this.#at += 2;
      } else {
        out += c;
        this.#at++;
      }
    }
  }

  #checked(out: string): string {
    // a long text without variables is as long as its file
    if (out.length > MAX_EXPANDED + this.#text.length) throw tooLong();
    return out;
  }

  #dollar(): string {
    if (this.#depth >= MAX_DEPTH) throw new ExpandError(`more than ${MAX_DEPTH} substitutions inside one another`);
    this.#depth++;
    const value = this.#substitution();
    this.#depth--;
    return value;
  }

  #substitution(): string {
    this.#at++;
    if (this.#peek() !== "{") {
      const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])/.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#options.lookup(name) ?? (this.#options.keepUnset === true ? `$${name}` : "");
    }
    const start = this.#at - 1;
    this.#at++;
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) throw new ExpandError(`bad substitution in ${JSON.stringify(this.#text)}`);
    this.#at += name.length;
    const value = this.#options.lookup(name);
    const modifier = /^(?::?[-+?]|##?|%%?|\/\/?|\})/.exec(this.#text.slice(this.#at))?.[0];
    if (modifier === undefined) {
      throw new ExpandError(`unsupported modifier (${this.#peek()}) in substitution of ${name}`);
    }
    this.#at += modifier.length;
    if (modifier === "}") {
      return value ?? (this.#options.keepUnset === true ? this.#text.slice(start, this.#at) : "");
    }
    if (modifier === "/" || modifier === "//") {
      const pattern = this.#until("/}");
      let replacement = "";
      if (this.#peek() === "/") {
        this.#at++;
        replacement = this.#until("}");
      }
      this.#close(name);
      const glob = this.#globFor(pattern, value ?? "");
      return this.#checked(glob.replace(value ?? "", replacement, modifier === "//", MAX_EXPANDED));
    }
    const word = this.#until("}");
    this.#close(name);
    const text = value ?? "";
    const found = (): ReturnType<ShellGlob["prefix"]> =>
      modifier.startsWith("#") ? this.#globFor(word, text).prefix(text) : this.#globFor(word, text).suffix(text);
    return modify(name, value, modifier, word, found);
  }

  /** Callers know one error of words. */
  #globFor(pattern: string, value: string): ShellGlob {
    const cost = pattern.length * value.length;
    if (cost > MAX_MATCH_COST) {
      throw new ExpandError(
        `a pattern of ${pattern.length} for a value of ${value.length} characters is too much to match`,
      );
    }
    if (this.#options.budget !== undefined) spend(this.#options.budget, cost >> 2);
    try {
      return shellGlob(pattern);
    } catch (error) {
      if (error instanceof PatternError) throw new ExpandError(error.message);
      throw error;
    }
  }

  #close(name: string): void {
    if (this.#peek() !== "}") throw new ExpandError(`missing } in substitution of ${name}`);
    this.#at++;
  }
}

function modify(
  name: string,
  value: string | undefined,
  modifier: string,
  word: string,
  found: () => ReturnType<ShellGlob["prefix"]>,
): string {
  const isSet = modifier.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  switch (modifier.replace(":", "")) {
    case "-":
      return isSet ? (value ?? "") : word;
    case "+":
      return isSet ? word : "";
    case "?":
      if (isSet) return value ?? "";
      throw new ExpandError(`${name}: ${word === "" ? "parameter not set or null" : word}`);
    case "#":
      return (value ?? "").slice(found()?.shortest ?? 0);
    case "##":
      return (value ?? "").slice(found()?.longest ?? 0);
    case "%":
      return withoutLast(value ?? "", found()?.shortest ?? 0);
    default:
      return withoutLast(value ?? "", found()?.longest ?? 0);
  }
}

function withoutLast(text: string, count: number): string {
  return text.slice(0, text.length - count);
}

function tooLong(): ExpandError {
  return new ExpandError(`a value becomes longer than ${MAX_EXPANDED} characters`);
}
