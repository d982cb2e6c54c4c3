/** `--chmod` values. Pure. */

/** New permission bits from old ones. */
export type ChangeMode = (mode: number, isFolder: boolean) => number;

/** Octal, or symbolic as chmod(1) has it (`u=rwX,go-w`); undefined for anything else. */
export function parseMode(text: string): ChangeMode | undefined {
  if (/^[0-7]{1,4}$/.test(text)) return () => Number.parseInt(text, 8);
  const clauses = text.split(",").map((clause) => /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause));
  if (clauses.includes(null)) return undefined;
  return (mode, isFolder) => clauses.reduce((current, clause) => applyClause(current, clause, isFolder), mode);
}

function applyClause(mode: number, clause: RegExpExecArray | null, isFolder: boolean): number {
  const [, who = "", operator = "", letters = ""] = clause ?? [];
  const everyone = who === "" || who.includes("a");
  const executable = isFolder || (mode & 0o111) !== 0;
  const wants = (letter: string): boolean =>
    letters.includes(letter) || (letter === "x" && letters.includes("X") && executable);
  const bits = (wants("r") ? 4 : 0) | (wants("w") ? 2 : 0) | (wants("x") ? 1 : 0);
  let mask = 0;
  let value = 0;
  for (const [name, shift, special] of [
    ["u", 6, 0o4000],
    ["g", 3, 0o2000],
    ["o", 0, 0o1000],
  ] as const) {
    if (!everyone && !who.includes(name)) continue;
    mask |= 7 << shift;
    value |= bits << shift;
    const isSpecial = name === "o" ? letters.includes("t") : letters.includes("s");
    if (isSpecial) value |= special;
    if (operator === "=") mask |= special;
  }
  if (operator === "+") return mode | value;
  return operator === "-" ? mode & ~value : (mode & ~mask) | value;
}
