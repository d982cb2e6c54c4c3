/** The two orders in which the reference prints the keys of a map: by bytes in JSON, by numbers inside names in YAML. */

/** Byte order of UTF-8 for all but astral characters, which sort by their surrogates. */
export function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The order of YAML maps: `a2` before `a10`, punctuation before letters, but behind a digit a letter comes first.
 * Letters compare by code point, so capitals come before small ones.
 */
export function naturalOrder(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const [x, y] = [a[i], b[i]];
  if (x === undefined || y === undefined) return a.length - b.length;
  const [xLetter, yLetter] = [isLetter(x), isLetter(y)];
  if (xLetter && yLetter) return byteOrder(x, y);
  if (xLetter || yLetter) return isDigit(a[i - 1]) === xLetter ? -1 : 1;
  const [xRun, yRun] = [digitRun(a, i), digitRun(b, i)];
  // a zero behind a significant digit belongs to the number: `10` against `1_`
  const prefix = (x === "0" || y === "0") && hasSignificantDigitBefore(a, i) ? "1" : "";
  const [xNumber, yNumber] = [Number(`${prefix}${xRun}`), Number(`${prefix}${yRun}`)];
  if (xNumber !== yNumber) return xNumber - yNumber;
  return xRun.length === yRun.length ? byteOrder(x, y) : xRun.length - yRun.length;
}

function isLetter(character: string): boolean {
  return /^[A-Za-z]$/.test(character) || (character > "\x7f" && /^\p{L}$/u.test(character));
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function digitRun(text: string, from: number): string {
  let end = from;
  while (isDigit(text[end])) end++;
  return text.slice(from, end);
}

function hasSignificantDigitBefore(text: string, from: number): boolean {
  for (let i = from - 1; isDigit(text[i]); i--) if (text[i] !== "0") return true;
  return false;
}
