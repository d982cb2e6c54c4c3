/** Flags of an instruction: `--name=value` before its arguments. */
import { goBoolean } from "../../../lib/go-boolean.js";
import { own } from "../../../lib/own.js";
import { Problem } from "./problem.js";
import { nearest, unquote } from "./words.js";

interface Flags {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: string;
}

/** Leading `--name=value` words; `known` says which there are and which may repeat. */
export function takeFlags(
  keyword: string,
  text: string,
  known: Readonly<Record<string, "once" | "many" | "bare">>,
): Flags {
  const values = new Map<string, string[]>();
  let rest = text;
  for (;;) {
    const match = /^--([a-z][a-z-]*)(?:=((?:"[^"]*"|'[^']*'|\S)*))?(?:\s+|$)/.exec(rest);
    if (match === null) break;
    const [whole, name = "", value] = match;
    const kind = own(known, name);
    if (kind === undefined) {
      const guess = nearest(name, Object.keys(known));
      throw new Problem(
        `${keyword}: unknown flag --${name}${guess === undefined ? "" : ` (did you mean --${guess}?)`}`,
      );
    }
    if (value === undefined && kind !== "bare") throw new Problem(`${keyword}: missing a value on flag --${name}`);
    const before = values.get(name) ?? [];
    if (before.length > 0 && kind !== "many") throw new Problem(`${keyword}: duplicate flag --${name}`);
    // added in place: a line of four megabytes has hundreds of thousands of them
    before.push(unquote(value ?? "true"));
    values.set(name, before);
    rest = rest.slice(whole.length);
  }
  return { values, rest: rest.trim() };
}

/** The first value of a flag. */
export const flag = (flags: Flags, name: string): string | undefined => flags.values.get(name)?.[0];

/** The value of a flag that is true or false, in Go's words for them; undefined when it is not given. Throws `Problem`. */
export function booleanFlag(keyword: string, flags: Flags, name: string): boolean | undefined {
  const text = flag(flags, name);
  if (text === undefined) return undefined;
  const value = goBoolean(text);
  if (value !== undefined) return value;
  throw new Problem(`${keyword}: --${name} wants true or false, not ${JSON.stringify(text)}`);
}
