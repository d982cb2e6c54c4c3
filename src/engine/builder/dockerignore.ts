/** .dockerignore patterns with moby's meaning (patternmatcher): Go globs, `**`, `!`, last match wins. Pure. */
import { type Glob, PatternError, pathGlob } from "../../lib/glob.js";

/** Positions in all wildcards of one file together: what one path may cost. Plain names do not count. */
const MAX_COST = 65_536;
/** Lines of one file that count. */
const MAX_PATTERNS = 50_000;

interface Pattern {
  readonly glob: Glob;
  readonly isException: boolean;
  /** Segments before the first wildcard, for deciding whether to descend. */
  readonly fixed: readonly string[];
  readonly isAny: boolean;
}

/** What an ignore file keeps out of a context; paths are relative, without a slash in front. */
export interface IgnoreMatcher {
  /** True when the path (relative, `/`-separated) or a folder above it is excluded. */
  excludes(path: string): boolean;
  /** True when an excluded folder may hold something that an exception brings back. */
  mayHoldExceptions(folder: string): boolean;
}

/** A matcher that excludes nothing. */
export const IGNORE_NOTHING: IgnoreMatcher = { excludes: () => false, mayHoldExceptions: () => false };

/** The matcher of a .dockerignore's text; `IGNORE_NOTHING` when it has no patterns. Throws a `PatternError` for a malformed pattern, and for more than can be matched in time. */
export function parseIgnore(text: string): IgnoreMatcher {
  const patterns: Pattern[] = [];
  let cost = 0;
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
    const glob = pathGlob(clean);
    if (wild >= 0) cost += glob.cost;
    if (patterns.length >= MAX_PATTERNS) throw new PatternError(`more than ${MAX_PATTERNS} patterns`);
    if (cost > MAX_COST) throw new PatternError(`patterns with wildcards of more than ${MAX_COST >> 1} characters`);
    patterns.push({ glob, isException, fixed, isAny: wild >= 0 });
  }
  if (patterns.length === 0) return IGNORE_NOTHING;
  return {
    excludes(path) {
      let excluded = false;
      for (const { glob, isException } of patterns) {
        if (isException === excluded && glob.matchesUnder(path)) excluded = !isException;
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
