/** `WWW-Authenticate` (RFC 9110 §11.6.1): several challenges in one value, commas inside quotes. Pure. */

/** One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Parameter names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Every challenge of a header value, in order. What cannot be read is skipped. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
  let at = 0;
  const skip = (pattern: RegExp) => {
    while (at < header.length && pattern.test(header[at] ?? "")) at++;
  };
  const readToken = (): string | undefined => {
    token.lastIndex = at;
    const match = token.exec(header);
    if (match === null) return undefined;
    at = token.lastIndex;
    return match[0];
  };
  while (at < header.length) {
    skip(/[\s,]/);
    const word = readToken();
    if (word === undefined) {
      at++;
      continue;
    }
    const afterWord = at;
    skip(/\s/);
    if (header[at] !== "=") {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      at = Math.max(afterWord, at);
      continue;
    }
    at++;
    skip(/\s/);
    const value = header[at] === '"' ? readQuoted() : (readToken() ?? "");
    const current = challenges.at(-1);
    if (current !== undefined) current.parameters[word.toLowerCase()] = value;
  }
  return challenges;

  function readQuoted(): string {
    let text = "";
    for (at++; at < header.length && header[at] !== '"'; at++) {
      if (header[at] === "\\") at++;
      text += header[at] ?? "";
    }
    at++;
    return text;
  }
}
