/** Variable expansion and quote removal of Dockerfile words (the reference's "Environment replacement"). Pure. */

export interface ExpandOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape: "\\" | "`";
  /** Leave quotes and their meaning alone: here-documents are text, not words. */
  readonly keepQuotes?: boolean;
}

/** The error of `${name?message}`, unended braces and unknown modifiers; the caller adds the place. */
export class ExpandError extends Error {}

/** One word: variables replaced, quotes removed. */
export function expandWord(word: string, options: ExpandOptions): string {
  return new Expansion(word, options).run();
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
        out += this.#dollar();
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
        out += this.#dollar();
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

  #dollar(): string {
    this.#at++;
    if (this.#peek() !== "{") {
      const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])/.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#options.lookup(name) ?? "";
    }
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
    if (modifier === "}") return value ?? "";
    if (modifier === "/" || modifier === "//") {
      const pattern = this.#until("/}");
      let replacement = "";
      if (this.#peek() === "/") {
        this.#at++;
        replacement = this.#until("}");
      }
      this.#close(name);
      const regex = new RegExp(globSource(pattern, true), modifier === "//" ? "gs" : "s");
      return (value ?? "").replace(regex, () => replacement);
    }
    const word = this.#until("}");
    this.#close(name);
    return modify(name, value, modifier, word);
  }

  #close(name: string): void {
    if (this.#peek() !== "}") throw new ExpandError(`missing } in substitution of ${name}`);
    this.#at++;
  }
}

function modify(name: string, value: string | undefined, modifier: string, word: string): string {
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
      return trimStart(value ?? "", word, false);
    case "##":
      return trimStart(value ?? "", word, true);
    case "%":
      return trimEnd(value ?? "", word, false);
    default:
      return trimEnd(value ?? "", word, true);
  }
}

/** `*` and `?` of a shell pattern as a regular expression. */
function globSource(pattern: string, greedy: boolean): string {
  let out = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? "";
    if (c === "*") out += greedy ? ".*" : ".*?";
    else if (c === "?") out += ".";
    else if (c === "\\" && i + 1 < pattern.length) out += escapeRegExp(pattern[++i] ?? "");
    else out += escapeRegExp(c);
  }
  return out;
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

function trimStart(value: string, pattern: string, greedy: boolean): string {
  return value.replace(new RegExp(`^${globSource(pattern, greedy)}`, "s"), "");
}

function trimEnd(value: string, pattern: string, greedy: boolean): string {
  const whole = new RegExp(`^${globSource(pattern, true)}$`, "s");
  const starts = Array.from({ length: value.length + 1 }, (_, i) => i);
  for (const start of greedy ? starts : starts.reverse()) {
    if (whole.test(value.slice(start))) return value.slice(0, start);
  }
  return value;
}
