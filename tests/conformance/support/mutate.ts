/** Seeded changes of compose files. Pure but for the generator's state. */

/** xorshift32: small, and the same everywhere. */
export function generator(start: number): (below: number) => number {
  let state = start | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}

/** Words that mean something in a compose file. */
const TOKENS = [
  "${A:-${B}}",
  "${",
  "$$",
  "&a ",
  "*a",
  "<<: *a",
  "!reset ",
  "!override ",
  "!!binary x",
  "null",
  "[]",
  "{}",
  "- ",
  ": ",
  "\t",
  "'",
  '"',
  "|\n",
  ">-\n",
  "---\n",
  "0x1f",
  "1e999",
  "-1",
  "99999999999999999999",
  "__proto__",
  "constructor",
  "toString",
  "services",
  "extends: ",
  "include: ",
  "depends_on: ",
  "deploy: ",
  "ports: ",
  "volumes: ",
  "8000-9000:8000-9000",
  "[::1]:80:80",
  "a:b:c:d:e",
  "\u0000",
  "\u2028",
  "\ud83d",
  "é",
  "? ",
  "@",
  "`",
  "%",
  "x-a: ",
];

/** One to `most` changes of a compose file: characters, lines, words of the format, pieces of `other`. */
export function mutate(text: string, other: string, pick: (below: number) => number, most = 4): string {
  let result = text;
  for (let i = pick(most); i >= 0; i--) {
    const lines = result.split("\n");
    const at = pick(result.length);
    switch (pick(8)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + 1 + pick(8));
        break;
      case 1:
        result = result.slice(0, at) + (TOKENS[pick(TOKENS.length)] ?? "") + result.slice(at);
        break;
      case 2:
        lines.splice(pick(lines.length), 1 + pick(3));
        result = lines.join("\n");
        break;
      case 3:
        lines.splice(pick(lines.length), 0, lines[pick(lines.length)] ?? "");
        result = lines.join("\n");
        break;
      case 4: {
        const from = pick(lines.length);
        lines[from] = `${" ".repeat(pick(6))}${(lines[from] ?? "").trimStart()}`;
        result = lines.join("\n");
        break;
      }
      case 5: {
        const from = pick(lines.length);
        lines[from] = (lines[from] ?? "").replace(/:.*$/, `: ${TOKENS[pick(TOKENS.length)] ?? ""}`);
        result = lines.join("\n");
        break;
      }
      case 6: {
        const foreign = other.split("\n");
        lines.splice(pick(lines.length), 0, ...foreign.slice(pick(foreign.length)).slice(0, 5));
        result = lines.join("\n");
        break;
      }
      default:
        result = result.slice(0, at) + String.fromCharCode(pick(0x250)) + result.slice(at + 1);
    }
  }
  return result;
}
