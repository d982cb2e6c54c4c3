/** Nothing, at every place of the schema: empty texts, lists and maps, null, unset variables, and what a tag makes of a text. */
import { PLACE, schemaPlaces } from "./schema-paths.js";

/** Ways to write nothing, as YAML in a flow collection. */
const NOTHINGS = [
  '""',
  "null",
  "!!binary x",
  '!!binary ""',
  '"${UNSET}"',
  "[]",
  "{}",
  '[""]',
  "[null]",
  '{"k": null}',
  '{"": ""}',
] as const;

/** One document with nothing at one place. */
export interface EmptyValue {
  /** `services.x.env_file[].path: ""` */
  readonly name: string;
  readonly text: string;
}

/** Every place with every kind of nothing. */
export function emptyValues(): readonly EmptyValue[] {
  return schemaPlaces().flatMap(({ path, document }) =>
    NOTHINGS.map((nothing) => ({
      name: `${path}: ${nothing}`,
      text: document.replace(JSON.stringify(PLACE), () => nothing),
    })),
  );
}
