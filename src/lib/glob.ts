/**
 * Wildcard patterns matched in time linear in pattern and text, whatever either says: a set of positions in the pattern is moved
 * over the text once, nothing is tried again. Sets that were met are remembered, so that a step is a look into a table. (Regular
 * expressions made of patterns backtrack without end, and no signal reaches a program inside one.) Pure.
 */

/** Longer patterns mean nothing: no path of Linux has more bytes (PATH_MAX). */
export const MAX_PATTERN_LENGTH = 4096;

/** A pattern that cannot be one; the caller adds the place. */
export class PatternError extends Error {}

/** A pattern that is ready to match. */
export interface Glob {
  /** True when the whole text fits. */
  matches(text: string): boolean;
  /** True when the path, or a folder above it (`a`, `a/b` of `a/b/c`), fits. */
  matchesUnder(path: string): boolean;
  /** Positions in the pattern: what one character of text costs. */
  readonly cost: number;
}

/** A shell's pattern, for pieces of a text. Lengths are those of JavaScript strings. */
export interface ShellGlob {
  /** Shortest and longest start of `text.slice(from)` that fits; undefined when none does. */
  prefix(text: string, from?: number): { readonly shortest: number; readonly longest: number } | undefined;
  /** Shortest and longest end of the text that fits. */
  suffix(text: string): { readonly shortest: number; readonly longest: number } | undefined;
  /** The text with its leftmost, longest fitting piece (or all, from the left) replaced; stops when it is longer than `limit`. */
  replace(text: string, replacement: string, all: boolean, limit: number): string;
}

type Token =
  /** One character out of ranges; `not` turns it around. A slash only fits when `slash` says so. */
  | { readonly kind: "one"; readonly ranges: readonly (readonly [number, number])[]; readonly not: boolean }
  | { readonly kind: "any"; readonly slash: boolean }
  /** Any number of characters. */
  | { readonly kind: "many"; readonly slash: boolean }
  /** Nothing, or any number of folders with their slash. */
  | { readonly kind: "folders" };

const SLASH = 47;

/** Go's filepath.Match with `**` for any number of folders, as moby's patternmatcher reads .dockerignore. Throws `PatternError`. */
export function pathGlob(pattern: string): Glob {
  const tokens = pathTokens(codePoints(pattern), pattern);
  if (tokens.every(isLiteral)) {
    const plain = String.fromCodePoint(...tokens.map(firstOf));
    return {
      cost: 1,
      matches: (text) => text === plain,
      matchesUnder: (path) =>
        path.startsWith(plain) && (path.length === plain.length || path.charCodeAt(plain.length) === SLASH),
    };
  }
  const scan = compile(tokens);
  return {
    cost: 2 * tokens.length + 1,
    matches(text) {
      let fits = false;
      scan(text, 0, (at) => {
        fits = at === text.length;
        return true;
      });
      return fits;
    },
    matchesUnder(path) {
      let fits = false;
      scan(path, 0, (at) => {
        fits = at === path.length || (at > 0 && path.charCodeAt(at) === SLASH);
        return !fits;
      });
      return fits;
    },
  };
}

/** `*` and `?` of a shell, which also take slashes; `\` escapes. Throws `PatternError`. */
export function shellGlob(pattern: string): ShellGlob {
  const tokens = shellTokens(codePoints(pattern));
  const backwards = tokens.toReversed();
  const scan = compile(tokens);
  return {
    prefix: (text, from = 0) => startThatFits(scan, text, from),
    suffix: (text) => startThatFits(compile(backwards), turned(text), 0),
    replace(text, replacement, all, limit) {
      // where pieces that fit begin: where they end in the text turned around
      const starts = new Uint8Array(text.length + 1);
      compile([{ kind: "many", slash: true }, ...backwards])(turned(text), 0, (at) => {
        starts[text.length - at] = 1;
        return true;
      });
      let out = "";
      let at = 0;
      for (let start = starts.indexOf(1, at); start >= 0 && out.length <= limit; start = starts.indexOf(1, at)) {
        const length = startThatFits(scan, text, start)?.longest ?? 0;
        out += text.slice(at, start) + replacement;
        at = start + length;
        if (!all) break;
        // a pattern that fits nothing fits before every character
        if (length === 0) out += text.slice(at, ++at);
      }
      return out + text.slice(at);
    },
  };
}

function startThatFits(scan: Scan, text: string, from: number): ReturnType<ShellGlob["prefix"]> {
  let shortest = -1;
  let longest = -1;
  scan(text, from, (at) => {
    if (shortest < 0) shortest = at - from;
    longest = at - from;
    return true;
  });
  return shortest < 0 ? undefined : { shortest, longest };
}

function turned(text: string): string {
  return Array.from(text).reverse().join("");
}

function codePoints(pattern: string): number[] {
  const points = Array.from(pattern, (c) => c.codePointAt(0) ?? 0);
  if (points.length > MAX_PATTERN_LENGTH)
    throw new PatternError(`a pattern of ${points.length} characters is too long`);
  return points;
}

function shellTokens(points: readonly number[]): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < points.length; i++) {
    const c = points[i] ?? 0;
    if (c === 42) tokens.push({ kind: "many", slash: true });
    else if (c === 63) tokens.push({ kind: "any", slash: true });
    else if (c === 92 && i + 1 < points.length) tokens.push(literal(points[++i] ?? 0));
    else tokens.push(literal(c));
  }
  return tokens;
}

function pathTokens(points: readonly number[], pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < points.length; i++) {
    const c = points[i] ?? 0;
    if (c === 42 && points[i + 1] === 42) {
      i++;
      if (points[i + 1] === SLASH) i++;
      tokens.push(i + 1 >= points.length ? { kind: "many", slash: true } : { kind: "folders" });
    } else if (c === 42) tokens.push({ kind: "many", slash: false });
    else if (c === 63) tokens.push({ kind: "any", slash: false });
    else if (c === 91) {
      const not = points[i + 1] === 94;
      const start = i + (not ? 2 : 1);
      let end = start;
      while (end < points.length && (points[end] !== 93 || end === start)) end += points[end] === 92 ? 2 : 1;
      if (end >= points.length) throw new PatternError(`syntax error in pattern ${JSON.stringify(pattern)}`);
      tokens.push({ kind: "one", ranges: rangesOf(points.slice(start, end), pattern), not });
      i = end;
    } else if (c === 92 && i + 1 < points.length) tokens.push(literal(points[++i] ?? 0));
    else tokens.push(literal(c));
  }
  return tokens;
}

const literal = (point: number): Token => ({ kind: "one", ranges: [[point, point]], not: false });

function rangesOf(members: readonly number[], pattern: string): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  let at = 0;
  const next = (): number => {
    if (members[at] === 92 && at + 1 < members.length) at++;
    return members[at++] ?? 0;
  };
  while (at < members.length) {
    const low = next();
    let high = low;
    if (members[at] === 45 && at + 1 < members.length) {
      at++;
      high = next();
    }
    if (high < low) throw new PatternError(`syntax error in pattern ${JSON.stringify(pattern)}`);
    ranges.push([low, high]);
  }
  return ranges;
}

/** Calls `visit` at every place of the text, from `from` on, up to which the pattern fits, until it returns false. */
type Scan = (text: string, from: number, visit: (at: number) => boolean) => void;

/** A set of positions in the pattern, and where characters lead from there. */
interface State {
  readonly positions: readonly number[];
  readonly fits: boolean;
  /** By ASCII code; the rest is worked out each time. */
  readonly next: (State | undefined)[];
}

/** More sets than this are forgotten and worked out again: patterns can be made to meet a new one with every character. */
const MAX_STATES = 256;
const ASCII = 128;

/** Positions are between tokens; `folders` has a second one, inside a folder's name, numbered after all others. */
function compile(tokens: readonly Token[]): Scan {
  const end = tokens.length;
  const held = new Uint8Array(2 * end + 1);
  let states = new Map<string, State>();

  const stateOf = (positions: number[]): State => {
    for (const position of positions) held[position] = 0;
    const key = positions.join();
    const known = states.get(key);
    if (known !== undefined) return known;
    if (states.size >= MAX_STATES) {
      for (const old of states.values()) old.next.length = 0;
      states = new Map();
    }
    const state: State = { positions, fits: positions.includes(end), next: [] };
    states.set(key, state);
    return state;
  };
  const add = (to: number[], position: number): void => {
    for (let at = position; held[at] !== 1; at++) {
      held[at] = 1;
      to.push(at);
      // what may be empty is also passed at once
      const kind = at < end ? tokens[at]?.kind : undefined;
      if (kind !== "many" && kind !== "folders") return;
    }
  };
  const step = (state: State, point: number): State => {
    const to: number[] = [];
    for (const position of state.positions) {
      const isInside = position > end;
      const token = isInside ? FOLDERS : tokens[position];
      if (token === undefined) continue;
      const index = isInside ? position - end - 1 : position;
      if (token.kind === "folders") {
        add(to, end + index + 1);
        if (point === SLASH) add(to, index + 1);
      } else if (token.kind === "many") {
        if (token.slash || point !== SLASH) add(to, index);
      } else if (token.kind === "any" ? token.slash || point !== SLASH : fits(token, point)) add(to, index + 1);
    }
    return stateOf(to);
  };
  const initial: number[] = [];
  add(initial, 0);
  const first = stateOf(initial);

  return (text, from, visit) => {
    let state = first;
    for (let at = from; ; ) {
      if (state.fits && !visit(at)) return;
      if (at >= text.length || state.positions.length === 0) return;
      const unit = text.charCodeAt(at);
      if (unit < ASCII) {
        state = state.next[unit] ??= step(state, unit);
        at++;
      } else {
        const point = text.codePointAt(at) ?? unit;
        state = step(state, point);
        at += point > 0xffff ? 2 : 1;
      }
    }
  };
}

const FOLDERS: Token = { kind: "folders" };

type One = Extract<Token, { kind: "one" }>;

function fits(token: One, point: number): boolean {
  // a class never takes a slash, a slash that is written does
  if (point === SLASH && !isLiteral(token)) return false;
  return token.ranges.some(([low, high]) => point >= low && point <= high) !== token.not;
}

function isLiteral(token: Token): boolean {
  return (
    token.kind === "one" && !token.not && token.ranges.length === 1 && token.ranges[0]?.[0] === token.ranges[0]?.[1]
  );
}

function firstOf(token: Token): number {
  return token.kind === "one" ? (token.ranges[0]?.[0] ?? 0) : 0;
}
