/** Fields of JSON that a stranger wrote, read as bounded text, lists and maps. Pure but for what it tells. */

import { posix } from "node:path";
import { TscError } from "../../lib/errors.js";
import { isObject } from "../../lib/is-object.js";
import { printable } from "../../lib/printable.js";

/** An object of somebody else's JSON, nothing in it checked. */
export type Json = Readonly<Record<string, unknown>>;

/** Entries of a list or map; images in use have some dozens. */
const MAX_ENTRIES = 4096;
/** What one argument or variable may hold for the kernel (MAX_ARG_STRLEN). */
const MAX_TEXT = 128 * 1024 - 1;
/** All of one list: less than a program's arguments and environment may have together. */
const MAX_LIST_BYTES = 1024 * 1024;

/** Reads fields of one image; whatever is of the wrong type counts as not there, as with other engines. */
export interface FieldReader {
  /** `TSC_IMAGE_CONFIG_INVALID` that names the image. */
  invalid(reason: string): TscError;
  /** Tells that an entry has no effect; always false. */
  leaveOut(field: string, entry: string, reason: string): false;
  text(raw: Json, name: string, maxBytes: number): string;
  list(raw: Json, name: string): string[];
  /** A command; a bare string, as in very old images, is shell form. */
  argv(raw: Json, name: string): string[];
  map(raw: Json, name: string): Record<string, string>;
  keys(raw: Json, name: string, maxEntries?: number): string[];
  /** Absolute, without `.`, `..` and slashes that say nothing. */
  path(text: string): string;
}

/** The reader for the image that messages call `what`. */
export function fieldReader(what: string, warn: (message: string) => void): FieldReader {
  const told = new Map<string, number>();
  const invalid = (reason: string): TscError =>
    new TscError("TSC_IMAGE_CONFIG_INVALID", `${what}: config ${reason}`, { kind: "invalid-input" });
  const checked = (text: string, name: string, maxBytes: number): string => {
    if (Buffer.byteLength(text) > maxBytes) throw invalid(`${name} is longer than ${maxBytes} bytes`);
    if (text.includes("\0")) throw invalid(`${name} has a NUL byte`);
    return text;
  };
  const checkedAll = (texts: readonly string[], name: string, maxEntries = MAX_ENTRIES): void => {
    if (texts.length > maxEntries) throw invalid(`${name} has more than ${maxEntries} entries`);
    let bytes = 0;
    for (const text of texts) bytes += Buffer.byteLength(checked(text, name, MAX_TEXT)) + 1;
    if (bytes > Math.max(MAX_LIST_BYTES, 16 * maxEntries))
      throw invalid(`${name} is longer than ${MAX_LIST_BYTES} bytes`);
  };
  const list = (raw: Json, name: string): string[] => {
    const value = raw[name];
    const texts = Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
    checkedAll(texts, name);
    return texts;
  };
  const entries = (raw: Json, name: string, maxEntries?: number): [string, string][] => {
    const value = raw[name];
    const pairs = Object.entries(isObject(value) ? value : {}).map(([key, entry]): [string, string] => [
      key,
      typeof entry === "string" ? entry : "",
    ]);
    checkedAll(
      pairs.map(([key, entry]) => key + entry),
      name,
      maxEntries,
    );
    return pairs;
  };
  return {
    invalid,
    leaveOut(field, entry, reason) {
      const count = (told.get(field) ?? 0) + 1;
      told.set(field, count);
      // One word per field: a thousand entries are no reason for a thousand lines.
      if (count === 1) {
        warn(`${what}: ${field} ${JSON.stringify(printable(entry, 60))} of the image is left out: ${reason}`);
      }
      return false;
    },
    text: (raw, name, maxBytes) => checked(typeof raw[name] === "string" ? raw[name] : "", name, maxBytes),
    list,
    argv(raw, name) {
      const value = raw[name];
      return typeof value === "string" ? ["/bin/sh", "-c", checked(value, name, MAX_TEXT)] : list(raw, name);
    },
    map: (raw, name) => Object.fromEntries(entries(raw, name)),
    keys: (raw, name, maxEntries) => entries(raw, name, maxEntries).map(([key]) => key),
    path: (text) =>
      posix
        .normalize(text)
        .replace(/^\/+/, "/")
        .replace(/(?<=.)\/+$/, ""),
  };
}
