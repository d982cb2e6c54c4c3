/** Makes text from strangers (registries, containers, subprocesses) fit to print. */

/**
 * Replaces control characters (C0, C1, escape sequences' ESC, bidi overrides) by spaces, blanks out credentials in URLs and
 * `Authorization`-like values, and cuts to `maxLength` characters.
 */
export function printable(text: string, maxLength = 400): string {
  let out = "";
  for (const character of text.slice(0, maxLength * 4)) {
    const code = character.codePointAt(0) ?? 0;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const isInvisible =
      (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    out += isControl || isInvisible ? " " : character;
  }
  out = out
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
