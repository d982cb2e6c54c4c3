/** `--filter KEY=VALUE` of the engine's lists, docker's keys: values of one key are alternatives, keys add up. Pure. */
import { TscError } from "../lib/errors.js";
import type { OptionSpec } from "./command.js";

/** The option, as the lists declare it. */
export const filterOption: OptionSpec = {
  long: "filter",
  short: "f",
  value: "list",
  placeholder: "KEY=VALUE",
  help: 'Filter output by conditions, such as "label=KEY=VALUE" or "name=TEXT"',
};

/** Whether an object has what a filter's value asks for. */
export type Matcher<T> = (item: T, value: string) => boolean;

/** What of `items` passes all filters. `TSC_USAGE` for a key that is not among `matchers`. */
export function applyFilters<T>(
  items: readonly T[],
  filters: readonly string[],
  matchers: Readonly<Record<string, Matcher<T>>>,
): readonly T[] {
  const wanted = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf("=");
    if (equals < 0) throw problem(`invalid filter "${filter}": write KEY=VALUE`);
    const key = filter.slice(0, equals);
    if (!Object.hasOwn(matchers, key)) throw problem(`invalid filter '${key}'`, Object.keys(matchers));
    wanted.set(key, [...(wanted.get(key) ?? []), filter.slice(equals + 1)]);
  }
  return items.filter((item) =>
    [...wanted].every(([key, values]) => {
      const matcher = matchers[key];
      // several labels must all be there, several names are alternatives
      const test = (value: string) => matcher?.(item, value) === true;
      return key === "label" ? values.every(test) : values.some(test);
    }),
  );
}

/** `KEY` or `KEY=VALUE` of labels. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
}

/** docker's name filter: a pattern found anywhere; a wrong pattern is plain text. */
export function hasName(name: string, wanted: string): boolean {
  try {
    return new RegExp(wanted.slice(0, 256)).test(name);
  } catch {
    return name.includes(wanted);
  }
}

/** `true`/`1` and `false`/`0`; anything else is `TSC_USAGE`. */
export function booleanFilter(value: string): boolean {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw problem(`invalid filter value "${value}": write true or false`);
}

function problem(message: string, keys: readonly string[] = []): TscError {
  return new TscError("TSC_USAGE", message, {
    kind: "invalid-input",
    ...(keys.length === 0 ? {} : { hint: `filters are: ${keys.join(", ")}` }),
  });
}
