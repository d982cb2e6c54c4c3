/**
 * The language of the tables that stand beside the model's types: how each field is read. `structOf` holds a table and its type to each
 * other at compile time; loader, hash, casts, printing and hints derive from the tables. Data and types only.
 */
import type { Environment, ShellCommand, StringMap } from "./values.js";

/** How a value is read. */
export type Kind =
  | "string"
  | "bool"
  /** A boolean that is true unless written: false alone is kept. */
  | "true-by-default"
  | "int"
  | "uint"
  | "float"
  | "bytes"
  | "duration"
  | "strings"
  | "shell"
  | "test"
  | "map"
  | "environment"
  | "hosts"
  | "mode"
  | "count"
  | "ssh"
  | "ulimits"
  | "options"
  | "struct"
  /** A struct that is there even when nothing was written. */
  | "always"
  | "structs"
  | "map-of-structs";

/** One field of a struct. */
export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly struct?: Struct;
  /** Keep 0, false and "" (the reference has a pointer there). */
  readonly keepZero?: boolean;
  /** What stands for an absent value (the reference prints the zero of its type). */
  readonly zero?: number | string;
}

/** Fields in the order in which `config` prints them; hashes depend on it. */
export type Struct = readonly Field[];

/** The fields of a type of the model. `model` exists for the compiler alone: tables of two types do not stand in for each other. */
export type StructOf<T> = Struct & { readonly model?: (value: T) => T };

/** A kind; with `!` behind it for a field that keeps zero values, `!!` for one that has them when nothing was written, too. */
type Word<K extends Kind> = K | `${K}!` | `${K}!!`;

/** How a field of type `V` may be read; `IsGiven` for one that the model always has. */
type RowFor<V, IsGiven> = [V] extends [boolean]
  ? Word<"bool"> | "true-by-default"
  : [V] extends [number]
    ? Word<"int" | "uint" | "float" | "count">
    : [V] extends [string]
      ? Word<"string" | "bytes" | "duration" | "mode">
      : null extends V
        ? [ShellCommand, V] extends [V, ShellCommand]
          ? "shell"
          : never
        : [V] extends [readonly string[]]
          ? "strings" | "hosts" | "ssh" | "test"
          : [V] extends [readonly (infer E)[]]
            ? { readonly list: StructOf<E> }
            : string extends keyof V
              ? RowForMap<V, V[string & keyof V]>
              : IsGiven extends true
                ? { readonly always: StructOf<V> }
                : { readonly one: StructOf<V> };

type RowForMap<V, E> = [V] extends [StringMap]
  ? "map"
  : [V] extends [Environment]
    ? "environment"
    : number extends E
      ? "ulimits"
      : [E] extends [readonly string[]]
        ? "options"
        : { readonly map: StructOf<Exclude<E, null>> };

/** A row for each key of `T` but extension keys. */
type RowsOf<T> = {
  readonly [K in keyof T as K extends `x-${string}` ? never : K]-?: RowFor<
    Exclude<T[K], undefined>,
    undefined extends T[K] ? false : true
  >;
};

type Row = string | { readonly [how in "list" | "map" | "one" | "always"]?: Struct };
const NESTED = { list: "structs", map: "map-of-structs", one: "struct", always: "always" } as const;

const ZEROS: { readonly [K in Kind]?: string } = { string: "", bytes: "0" };

/** The table of a type, in the order of its rows. A row that is missing, too many or of another kind is a compile error. */
export function structOf<T>(rows: RowsOf<T>): StructOf<T> {
  return Object.entries<Row>(rows).map(([name, row]): Field => {
    if (typeof row === "string") {
      const kind = row.replace(/!+$/, "") as Kind;
      if (row.endsWith("!!")) return { name, kind, keepZero: true, zero: ZEROS[kind] ?? 0 };
      return row.endsWith("!") ? { name, kind, keepZero: true } : { name, kind };
    }
    const how = Object.keys(row)[0] as keyof typeof NESTED;
    return { name, kind: NESTED[how], struct: row[how] as Struct };
  });
}

/** One attribute of a table: `services.*.ports[].target` and its field. */
export interface Attribute {
  readonly path: string;
  readonly field: Field;
}

/** Every attribute of a struct at a place, those of the structs inside included. `[]` is each item of a list, `*` each value of a map. */
export function attributesOf(struct: Struct, place: string): Attribute[] {
  return struct.flatMap((field): Attribute[] => {
    const path = `${place}.${field.name}`;
    const inner = field.kind === "structs" ? `${path}[]` : field.kind === "map-of-structs" ? `${path}.*` : path;
    return [{ path, field }, ...(field.struct === undefined ? [] : attributesOf(field.struct, inner))];
  });
}
