/** The grammar of Go templates, as far as `--format` needs it. Evaluates nothing. */
import { TscError } from "../../lib/errors.js";

/** One word of a command: `.a.b`, `$v.a`, a literal, a function's name, or a pipeline in parentheses with fields of its value. */
export type Operand =
  | { readonly type: "literal"; readonly value: string | number | boolean | undefined }
  | { readonly type: "field"; readonly path: readonly string[] }
  | { readonly type: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly type: "function"; readonly name: string }
  | { readonly type: "group"; readonly pipeline: Pipeline; readonly path: readonly string[] };

/** `a | b c`: each command gets the value of the one before as its last argument. */
export interface Pipeline {
  /** Variables set by `$a :=` or, in a range, `$i, $v :=`. */
  readonly assign: readonly string[] | undefined;
  readonly commands: readonly (readonly Operand[])[];
}

/** A piece of a template: text as it is, `{{pipeline}}`, or a block; `otherwise` is what stands behind `{{else}}`. */
export type Node =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "output"; readonly pipeline: Pipeline }
  | {
      readonly type: "if" | "range" | "with";
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

interface Piece {
  readonly kind: "text" | "action";
  readonly text: string;
}

/** The tree of a template. `TSC_TEMPLATE` names what is wrong. */
export function parseTemplate(source: string): readonly Node[] {
  const pieces = splitPieces(source);
  const cursor = { at: 0 };
  const nodes = parseList(pieces, cursor, 0);
  if (nodes.end !== undefined) throw problem(`unexpected {{${nodes.end}}}`);
  return nodes.nodes;
}

function splitPieces(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf("{{", at);
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    const trimBefore = open >= 0 && /^-\s/.test(source.slice(open + 2, open + 4));
    if (trimBefore) text = text.trimEnd();
    if (text !== "") pieces.push({ kind: "text", text });
    if (open < 0) break;
    const close = findClose(source, open + 2);
    if (close < 0) throw problem("unclosed action");
    let action = source.slice(open + 2, close);
    if (trimBefore) action = action.slice(1);
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    action = action.trim();
    if (!/^\/\*[\s\S]*\*\/$/.test(action)) pieces.push({ kind: "action", text: action });
    at = close + 2;
  }
  return pieces;
}

function findClose(source: string, from: number): number {
  let quote = "";
  for (let i = from; i < source.length; i++) {
    const character = source[i];
    if (quote !== "") {
      if (character === "\\" && quote === '"') i++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "`") quote = character;
    else if (character === "}" && source[i + 1] === "}") return i;
  }
  return -1;
}

function parseList(
  pieces: readonly Piece[],
  cursor: { at: number },
  depth: number,
): { readonly nodes: readonly Node[]; readonly end: string | undefined } {
  if (depth > 50) throw problem("nested too deeply");
  const nodes: Node[] = [];
  for (let piece = pieces[cursor.at]; piece !== undefined; piece = pieces[cursor.at]) {
    cursor.at++;
    if (piece.kind === "text") {
      nodes.push({ type: "text", text: piece.text });
      continue;
    }
    const word = /^[a-z]+/.exec(piece.text)?.[0];
    if (word === "end" || word === "else") return { nodes, end: piece.text };
    if (word === "if" || word === "range" || word === "with") {
      nodes.push(parseBlock(word, piece.text.slice(word.length), pieces, cursor, depth));
      continue;
    }
    nodes.push({ type: "output", pipeline: parsePipeline(tokenize(piece.text)) });
  }
  return { nodes, end: undefined };
}

function parseBlock(
  type: "if" | "range" | "with",
  condition: string,
  pieces: readonly Piece[],
  cursor: { at: number },
  depth: number,
): Node {
  const pipeline = parsePipeline(tokenize(condition));
  const body = parseList(pieces, cursor, depth + 1);
  if (body.end === undefined) throw problem(`{{${type}}} without {{end}}`);
  if (body.end === "end") return { type, pipeline, body: body.nodes, otherwise: [] };
  const chained = /^else\s+(if|with)\b([\s\S]*)$/.exec(body.end);
  if (chained !== null) {
    const inner = parseBlock(chained[1] === "with" ? "with" : "if", chained[2] ?? "", pieces, cursor, depth + 1);
    return { type, pipeline, body: body.nodes, otherwise: [inner] };
  }
  const otherwise = parseList(pieces, cursor, depth + 1);
  if (otherwise.end !== "end") throw problem(`{{${type}}} without {{end}}`);
  return { type, pipeline, body: body.nodes, otherwise: otherwise.nodes };
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*")|`([^`]*)`|(-?\d+(?:\.\d+)?)(?![\w.])|(\$\w*(?:\.\w+)*)|((?:\.\w+)+|\.)|([A-Za-z_]\w*)|(:=|=|[|(),]))/gy;

interface Token {
  readonly operand?: Operand;
  readonly mark?: string;
  /** No blank before it: `.x` right after `)` is a field of the group. */
  readonly glued: boolean;
}

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const text = source.trim();
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw problem(`unexpected "${text.slice(at, at + 10)}" in command`);
    const glued = !/^\s/.test(match[0]);
    at = TOKEN.lastIndex;
    const [, quoted, raw, number, variable, field, word, mark] = match;
    if (quoted !== undefined) tokens.push({ operand: { type: "literal", value: unquote(quoted) }, glued });
    else if (raw !== undefined) tokens.push({ operand: { type: "literal", value: raw }, glued });
    else if (number !== undefined) tokens.push({ operand: { type: "literal", value: Number(number) }, glued });
    else if (variable !== undefined) {
      const [name = "$", ...path] = variable.split(".");
      tokens.push({ operand: { type: "variable", name, path }, glued });
    } else if (field !== undefined) {
      tokens.push({ operand: { type: "field", path: field === "." ? [] : field.slice(1).split(".") }, glued });
    } else if (word === "true" || word === "false") {
      tokens.push({ operand: { type: "literal", value: word === "true" }, glued });
    } else if (word === "nil") tokens.push({ operand: { type: "literal", value: undefined }, glued });
    else if (word !== undefined) tokens.push({ operand: { type: "function", name: word }, glued });
    else if (mark !== undefined) tokens.push({ mark, glued });
  }
  return tokens;
}

function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw problem("unterminated quoted string");
  }
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  const cursor = { at: 0 };
  const pipeline = readPipeline(tokens, cursor);
  if (cursor.at < tokens.length) throw problem(`unexpected "${tokens[cursor.at]?.mark ?? "operand"}" in command`);
  return pipeline;
}

function readPipeline(tokens: readonly Token[], cursor: { at: number }): Pipeline {
  const assign = readAssign(tokens, cursor);
  const commands: (readonly Operand[])[] = [];
  let current: Operand[] = [];
  const finish = () => {
    if (current.length === 0) throw problem("missing value for command");
    commands.push(current);
    current = [];
  };
  for (let token = tokens[cursor.at]; token !== undefined && token.mark !== ")"; token = tokens[cursor.at]) {
    cursor.at++;
    if (token.mark === "|") finish();
    else if (token.mark === "(") {
      const pipeline = readPipeline(tokens, cursor);
      if (tokens[cursor.at]?.mark !== ")") throw problem("unclosed left paren");
      cursor.at++;
      const after = tokens[cursor.at];
      const path = after?.glued === true && after.operand?.type === "field" ? after.operand.path : [];
      if (path.length > 0) cursor.at++;
      current.push({ type: "group", pipeline, path });
    } else if (token.operand !== undefined) current.push(token.operand);
    else throw problem(`unexpected "${token.mark ?? ""}" in command`);
  }
  finish();
  return { assign, commands };
}

function readAssign(tokens: readonly Token[], cursor: { at: number }): readonly string[] | undefined {
  const [a, b, c, d] = tokens.slice(cursor.at, cursor.at + 4);
  const name = (token: Token | undefined) => (token?.operand?.type === "variable" ? token.operand.name : undefined);
  const isAssign = (token: Token | undefined) => token?.mark === ":=" || token?.mark === "=";
  const first = name(a);
  if (first !== undefined && isAssign(b)) {
    cursor.at += 2;
    return [first];
  }
  const second = name(c);
  if (first !== undefined && b?.mark === "," && second !== undefined && isAssign(d)) {
    cursor.at += 4;
    return [first, second];
  }
  return undefined;
}

function problem(message: string): TscError {
  return new TscError("TSC_TEMPLATE", `template parsing error: template: ${message}`, { kind: "invalid-input" });
}
