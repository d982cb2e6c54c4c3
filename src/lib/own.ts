/** Tables asked for words from outside. */

/**
 * The entry of a table for a word that somebody else wrote; undefined when there is none. A plain `table[word]` finds `constructor` and
 * its kin on every object.
 */
export function own<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
