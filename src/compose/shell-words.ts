/** Splits a command line into words as a POSIX shell would, without expansions. */
import { TscError } from "../lib/errors.js";

/** The words of a text. Throws TSC_COMPOSE_COMMAND_INVALID for an unclosed quote or a trailing backslash. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let inWord = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) throw invalid(text, "a single quote is not closed");
      word += text.slice(i + 1, end);
      inWord = true;
      i = end;
    } else if (c === '"') {
      inWord = true;
      i++;
      for (; ; i++) {
        const q = text[i];
        if (q === undefined) throw invalid(text, "a double quote is not closed");
        if (q === '"') break;
        if (q === "\\" && /["\\$`\n]/.test(text[i + 1] ?? "")) {
          i++;
          word += text[i] === "\n" ? "" : (text[i] ?? "");
        } else word += q;
      }
    } else if (c === "\\") {
      i++;
      if (i >= text.length) throw invalid(text, "it ends with a backslash");
      if (text[i] !== "\n") word += text[i];
      inWord = true;
    } else if (c === " " || c === "\t" || c === "\n" || c === "\r") {
      if (inWord) words.push(word);
      word = "";
      inWord = false;
    } else {
      word += c;
      inWord = true;
    }
  }
  if (inWord) words.push(word);
  return words;
}

function invalid(text: string, why: string): TscError {
  return new TscError("TSC_COMPOSE_COMMAND_INVALID", `invalid command line string ${JSON.stringify(text)}: ${why}`, {
    kind: "invalid-input",
    hint: "write the command as a list",
  });
}
