/** .dockerignore patterns with moby's meaning (patternmatcher): Go globs, `**`, `!`, last match wins. Pure. */

interface Pattern {
  readonly regex: RegExp;
  readonly isException: boolean;
  /** Segments before the first wildcard, for deciding whether to descend. */
  readonly fixed: readonly string[];
  readonly isAny: boolean;
}

export interface IgnoreMatcher {
  /** True when the path (relative, `/`-separated) or a folder above it is excluded. */
  excludes(path: string): boolean;
  /** True when an excluded folder may hold something that an exception brings back. */
  mayHoldExceptions(folder: string): boolean;
}

/** The matcher of a .dockerignore's text. Throws a plain Error naming a malformed pattern. */
export function parseIgnore(text: string): IgnoreMatcher {
  const patterns: Pattern[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    let word = line.trim();
    if (word === "") continue;
    const isException = word.startsWith("!");
    if (isException) word = word.slice(1).trim();
    const clean = cleanPath(word);
    if (clean === "" || clean === ".") continue;
    const segments = clean.split("/");
    const wild = segments.findIndex((segment) => /[*?[\\]/.test(segment));
    const fixed = wild < 0 ? segments : segments.slice(0, wild);
    patterns.push({ regex: globToRegExp(clean), isException, fixed, isAny: wild >= 0 });
  }
  return {
    excludes(path) {
      const prefixes = prefixesOf(path);
      let excluded = false;
      for (const pattern of patterns) {
        if (pattern.isException !== excluded) continue;
        if (prefixes.some((prefix) => pattern.regex.test(prefix))) excluded = !pattern.isException;
      }
      return excluded;
    },
    mayHoldExceptions(folder) {
      const segments = folder.split("/");
      return patterns.some(
        ({ isException, fixed, isAny }) =>
          isException &&
          segments.every((segment, i) => (i < fixed.length ? segment === fixed[i] : isAny)) &&
          (isAny || fixed.length > segments.length),
      );
    },
  };
}

/** A matcher that excludes nothing. */
export const IGNORE_NOTHING: IgnoreMatcher = { excludes: () => false, mayHoldExceptions: () => false };

function prefixesOf(path: string): string[] {
  const segments = path.split("/");
  return segments.map((_, i) => segments.slice(0, i + 1).join("/"));
}

/** Lexical clean-up as Go's path.Clean, with the leading slash dropped. */
export function cleanPath(path: string): string {
  const out: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (segment !== "..") out.push(segment);
  }
  return out.join("/");
}

/** A Go filepath.Match pattern, with `**` for any number of folders, as a regular expression over whole paths. */
export function globToRegExp(pattern: string): RegExp {
  let out = "^";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? "";
    if (c === "*" && pattern[i + 1] === "*") {
      i++;
      if (pattern[i + 1] === "/") i++;
      out += i + 1 >= pattern.length ? ".*" : "(?:.*/)?";
    } else if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else if (c === "[") {
      const end = pattern.indexOf("]", i + (pattern[i + 1] === "^" ? 3 : 2));
      if (end < 0) throw new Error(`syntax error in pattern ${JSON.stringify(pattern)}`);
      const body = pattern.slice(i + 1, end);
      const negated = body.startsWith("^");
      const members = (negated ? body.slice(1) : body).replace(/\\(.)/g, "$1").replace(/[\]\\^]/g, "\\$&");
      out += `(?!/)[${negated ? "^" : ""}${members}]`;
      i = end;
    } else if (c === "\\" && i + 1 < pattern.length) out += escapeRegExp(pattern[++i] ?? "");
    else out += escapeRegExp(c);
  }
  return new RegExp(`${out}$`, "s");
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
