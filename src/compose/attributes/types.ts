/** What becomes of an attribute that is not honoured whatever its value. Data only. */

/** `told`: it has no effect and a warning says so; `refused`: nothing is run. */
export type Outcome = "told" | "refused";

/** A map of attributes by name. */
export type Attributes = Readonly<Record<string, unknown>>;

/** For which values a row is. */
export interface Values {
  /** Completes "Only": `for a value other than "default"`. */
  readonly words: string;
  /** `parent` is the map that the attribute stands in, `above` the one around that. */
  readonly applies: (value: unknown, parent: Attributes, above: Attributes) => boolean;
}

/** One row: an attribute, what becomes of it and why. */
export interface Limit {
  /** Its pattern, `services.*.deploy.mode`; what stands below it shares its fate unless `only` says otherwise. */
  readonly path: string;
  readonly outcome: Outcome;
  /** The reason of what is told, the way out of what is refused. */
  readonly why: string;
  /** Absent: whatever the value. Other values are honoured. */
  readonly only?: Values;
}

/** What depends on more than the file: said by a part that knows it, in its own words. */
export interface LimitElsewhere {
  readonly path: string;
  readonly outcome: Outcome;
  readonly words: string;
  readonly by: "loader" | "plan" | "engine";
}
