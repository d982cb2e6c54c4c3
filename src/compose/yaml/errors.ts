/** What the YAML package finds wrong with a text, in words for people who write compose files. Pure. */
import type { YAMLError } from "yaml";
import { isScalar, visit } from "yaml";
import type { AnyDocument } from "./locate.js";

/** What is wrong, in a sentence, and what to do about it. */
export interface YamlProblem {
  readonly message: string;
  readonly hint?: string;
  /** Where it begins, as an offset. */
  readonly offset: number;
}

/** `line` holds the place; `rest` is what of it follows there. */
type Explain = (line: string, error: YAMLError, rest: string) => { readonly message: string; readonly hint?: string };

const COMMENT = /\s#.*$/;

const EXPLANATIONS: Readonly<Partial<Record<YAMLError["code"], Explain>>> = {
  TAB_AS_INDENT: () => ({ message: "tabs are not allowed as indentation", hint: "indent with spaces" }),
  BAD_INDENT: () => ({
    message: "this line is indented differently from the lines it belongs to",
    hint: "entries of one mapping or list start at the same column",
  }),
  BLOCK_AS_IMPLICIT_KEY: (line, _error, rest) =>
    /:\s\S.*:\s\S/.test(line.replace(COMMENT, ""))
      ? { message: "a value cannot hold another `: `", hint: "quote the value" }
      : /:\s*$/.test(rest.replace(COMMENT, ""))
        ? { message: "a value cannot end in `:`", hint: "quote the value, or take the colon away" }
        : {
            message: "this value is followed by lines that are indented below it",
            hint: "put them at the column of the key, or quote a value that holds `: `",
          },
  MULTILINE_IMPLICIT_KEY: (line) => ({
    message: "a key needs a colon behind it",
    hint: `for instance \`${line.trim().split(/\s/)[0] ?? "key"}:\``,
  }),
  BAD_SCALAR_START: (_line, error) => ({
    message: `a value cannot start with ${/character (.)/.exec(error.message)?.[1] ?? "this character"}`,
    hint: "quote the value",
  }),
  MISSING_CHAR: (_line, error) => {
    const quote = /closing (["'])/.exec(error.message)?.[1];
    return quote === undefined ? { message: lowerFirst(error.message) } : { message: `a closing ${quote} is missing` };
  },
};

/** The first problem of a document. `text` is the whole file. */
export function yamlProblem(error: YAMLError, document: AnyDocument, text: string): YamlProblem {
  const noticed = error.pos[0];
  const offset = error.code === "MISSING_CHAR" ? openingQuote(document, noticed) : noticed + blanksAt(text, noticed);
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(start, end < 0 ? text.length : end);
  return {
    ...(EXPLANATIONS[error.code]?.(line, error, line.slice(offset - start)) ?? { message: lowerFirst(error.message) }),
    offset,
  };
}

function blanksAt(text: string, from: number): number {
  return /^ */.exec(text.slice(from, from + 200))?.[0].length ?? 0;
}

/** An unclosed quote is noticed at the end of the text; a person looks for where it was opened. */
function openingQuote(document: AnyDocument, noticed: number): number {
  let opened = noticed;
  visit(document, {
    Scalar(_key, node) {
      const isQuoted = isScalar(node) && (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE");
      if (isQuoted && node.range !== undefined && node.range !== null && node.range[1] >= noticed)
        opened = node.range[0];
    },
  });
  return opened;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
