/** Bytes to text as YAML asks (yaml.org/spec/1.2.2 §5.1, §5.2): UTF-8, or UTF-16 with a byte order mark; nothing is replaced silently. Pure. */
import { type SourcePlace, TscError } from "../../lib/errors.js";

/** What YAML does not allow in a file: control characters, surrogates alone, non-characters (§5.1 "c-printable"). */
const NOT_PRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** The text of a YAML file. `TSC_COMPOSE_YAML` with a place for bytes that are no text. */
export function decodeYaml(bytes: Buffer, name: string): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString("utf16le", 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    const even = bytes.length & ~1;
    return Buffer.from(bytes.subarray(2, even)).swap16().toString("utf16le");
  }
  const text = bytes.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  const again = Buffer.from(text, "utf8");
  if (again.equals(bytes)) return text;
  let wrong = 0;
  while (again[wrong] === bytes[wrong]) wrong++;
  // inside a replacement character both may agree for a byte or two
  while (wrong > 0 && ((again[wrong] ?? 0) & 0xc0) === 0x80) wrong--;
  throw refused(name, again.subarray(0, wrong).toString("utf8"), text, "invalid UTF-8");
}

/** Refuses characters that must be escaped in YAML. `TSC_COMPOSE_YAML` with the place of the first. */
export function refuseControls(text: string, name: string): void {
  const found = NOT_PRINTABLE.exec(text);
  if (found !== null) throw refused(name, text.slice(0, found.index), text, "control characters are not allowed");
}

function refused(name: string, before: string, text: string, what: string): TscError {
  const lines = before.split("\n");
  const start = before.length - (lines.at(-1)?.length ?? 0);
  const end = text.indexOf("\n", start);
  const where: SourcePlace = {
    file: name,
    line: lines.length,
    column: before.length - start + 1,
    text: text.slice(start, end < 0 ? text.length : end).replace(/\r$/, ""),
  };
  return new TscError("TSC_COMPOSE_YAML", `failed to parse ${name}: yaml: line ${where.line}: ${what}`, {
    kind: "invalid-input",
    where,
    ...(what === "invalid UTF-8" ? { hint: "save the file as UTF-8" } : { hint: 'write it as an escape, "\\x07"' }),
  });
}
