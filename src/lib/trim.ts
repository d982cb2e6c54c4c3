/** The text without the characters of `set` at its end. Linear: `/[…]+$/` looks at a run once for each of its characters. */
export function withoutTrailing(text: string, set: string): string {
  let end = text.length;
  while (end > 0 && set.includes(text[end - 1] ?? "")) end--;
  return end === text.length ? text : text.slice(0, end);
}
