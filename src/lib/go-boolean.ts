const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false] as const),
]);

/** The words that Go's strconv.ParseBool reads; undefined for any other. */
export function goBoolean(text: string): boolean | undefined {
  return WORDS.get(text);
}
