/** Makes text from strangers (images, registries, containers, compose files, subprocesses) fit to print. */

/**
 * What no terminal may get from outside: control characters (C0, DEL, C1, the separators of lines and paragraphs), and what shows nothing
 * but hides, reorders or tells apart its neighbours (bidi controls, zero-width characters, fillers, tags; unicode.org/reports/tr36). The
 * selectors of a character's form stay: emoji have them.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u2800\ufff9-\ufffb[\p{Default_Ignorable_Code_Point}--[\ufe00-\ufe0f]]]/gv;
const PLAIN = /^[\x20-\x7e]*$/;

/** True when a text holds what `escaped` would replace. */
export function hasUnprintable(text: string): boolean {
  return !PLAIN.test(text) && text.search(UNPRINTABLE) >= 0;
}

/** Unprintable characters as Go writes them in a string, `\n`, `\x1b`, `\u202e`: one line, and nothing is lost from sight. */
export function escaped(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNPRINTABLE, escapeOf);
}

/** As `escaped`, but line ends and tabs stay: for text whose lines are ours. */
export function escapedLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === "\n" || character === "\t" ? character : escapeOf(character),
  );
}

/** Unprintable characters inside a JSON text as its own escapes: the text means the same. Line ends between its tokens stay. */
export function escapedJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) =>
    character === "\n"
      ? character
      : [...Array(character.length).keys()].map((index) => `\\u${hex(character.charCodeAt(index), 4)}`).join(""),
  );
}

/** One blank for each unprintable character: columns stay where they are. */
export function blanked(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return SHORT[character] ?? `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/**
 * What another program or server said, as a part of a message: one line without unprintable characters, credentials in URLs and
 * `Authorization`-like values blanked out, cut to `maxLength` characters.
 */
export function printable(text: string, maxLength = 400): string {
  const out = blanked(text.slice(0, maxLength * 4))
    .replace(/:\/\/[^/\s]*@/g, "://***@")
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 ***")
    .replace(
      /\b((?:access_|refresh_|identity)?token|password|secret|signature|sig|X-Amz-[A-Za-z-]+)=[^&\s"]+/gi,
      "$1=***",
    )
    .replace(/ {2,}/g, " ")
    .trim();
  return out.length > maxLength ? `${out.slice(0, maxLength)}…` : out;
}
