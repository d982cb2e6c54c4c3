/**
 * Splits a command line into words the way docker compose does: quotes and backslashes, no expansions. Like there, an
 * unquoted `;`, `&`, `|`, `<` or `>` ends the command, and what follows is left out.
 */
import { TscError } from "../../lib/errors.js";

/** The words of a text. Throws TSC_COMPOSE_COMMAND_INVALID for an unclosed quote, a trailing backslash or a bare parenthesis. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let inWord = false;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "\\" && quote !== "'") {
      i++;
      if (i >= text.length) throw invalid(text, "it ends with a backslash");
      word += text[i];
      inWord = true;
    } else if (quote !== "") {
      if (c !== quote) word += c;
      else {
        if (quote === ")" || quote === "`") word += c;
        quote = "";
      }
    } else if (c === "'" || c === '"') {
      quote = c;
      inWord = true;
    } else if (c === "`" || (c === "(" && word.endsWith("$"))) {
      quote = c === "`" ? "`" : ")";
      word += c;
      inWord = true;
    } else if (c === "(" || c === ")") throw invalid(text, "parentheses need quotes");
    else if (c === " " || c === "\t" || c === "\n" || c === "\r") {
      if (inWord) words.push(word);
      word = "";
      inWord = false;
    } else if (";&|<>".includes(c)) {
      // `2>file`: the digit belongs to the redirection
      if (inWord && !(c === ">" && /^[0-9]/.test(word))) words.push(word);
      return words;
    } else {
      word += c;
      inWord = true;
    }
  }
  if (quote !== "") throw invalid(text, `a ${quote} is missing`);
  if (inWord) words.push(word);
  return words;
}

function invalid(text: string, why: string): TscError {
  return new TscError("TSC_COMPOSE_COMMAND_INVALID", `invalid command line string ${JSON.stringify(text)}: ${why}`, {
    kind: "invalid-input",
    hint: "write the command as a list",
  });
}
