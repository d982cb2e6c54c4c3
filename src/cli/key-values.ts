/** `KEY=VALUE` flags. */

/** A record of the entries; a bare key has an empty value, the last of several wins. */
export function keyValues(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
