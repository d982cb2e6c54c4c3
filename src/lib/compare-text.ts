/** Order of texts, the same on every machine. */

/** For sorting by code units, as Go's strings are sorted: negative, 0 or positive. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
