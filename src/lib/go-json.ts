/** JSON as Go's encoding/json writes it, so that texts and hashes over them are the reference's. */

/**
 * `indent` spaces a level, none for one line. A `Map` keeps the order of its entries even for keys that look like
 * numbers; bigints are printed as numbers; `undefined` fields are left out.
 */
export function goJson(value: unknown, indent = 0): string {
  return write(value, "\n", " ".repeat(indent));
}

function write(value: unknown, newline: string, step: string): string {
  if (typeof value === "string") return goString(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = newline + step;
  if (Array.isArray(value))
    return wrap(
      "[",
      value.map((item) => write(item, inner, step)),
      "]",
      newline,
      step,
    );
  const entries = value instanceof Map ? [...(value as ReadonlyMap<string, unknown>)] : Object.entries(value);
  const colon = step === "" ? ":" : ": ";
  const fields = entries
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => goString(key) + colon + write(item, inner, step));
  return wrap("{", fields, "}", newline, step);
}

function wrap(open: string, items: readonly string[], close: string, newline: string, step: string): string {
  if (items.length === 0) return open + close;
  if (step === "") return open + items.join(",") + close;
  const inner = newline + step;
  return open + inner + items.join(`,${inner}`) + newline + close;
}

/** Go escapes what would end a script or a line in HTML. */
function goString(text: string): string {
  const json = JSON.stringify(text);
  if (!/[<>&\u2028\u2029]/.test(json)) return json;
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
