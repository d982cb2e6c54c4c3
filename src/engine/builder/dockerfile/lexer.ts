/**
 * Cuts a Dockerfile into logical lines: parser directives, comments, continuations and here-documents. Pure; knows no
 * instruction beyond which of them take here-documents. Line numbers count from 1.
 */
import { withoutTrailing } from "../../../lib/trim.js";

/** A here-document of a RUN, COPY or ADD. */
export interface Heredoc {
  /** The delimiter, which is also the file's name for COPY and ADD. */
  readonly name: string;
  /** False when the delimiter was quoted: variables stand for themselves. */
  readonly expand: boolean;
  readonly content: string;
  /** The body as written with its end line, for a shell that reads it itself. */
  readonly source: string;
}

/** One instruction with its continued lines joined. */
export interface LogicalLine {
  readonly line: number;
  /** The whole instruction with continuations joined. */
  readonly text: string;
  /** The first physical line, for error displays. */
  readonly source: string;
  readonly heredocs: readonly Heredoc[];
}

/** A Dockerfile as lines; nothing in them is understood yet. */
export interface LexedFile {
  readonly escape: "\\" | "`";
  /** `syntax`, `escape`, `check` as written, keys lowercased. */
  readonly directives: Readonly<Record<string, string>>;
  readonly lines: readonly LogicalLine[];
  /** Problems of the lines themselves. */
  readonly errors: readonly { readonly line: number; readonly message: string; readonly source: string }[];
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/;
const KNOWN_DIRECTIVES = new Set(["syntax", "escape", "check"]);
const HEREDOC = /(?:^|[\s;|&(])\d*<<(-?)(?:"([^"\s<>]+)"|'([^'\s<>]+)'|([A-Za-z_][A-Za-z0-9_.-]*))/g;

/** The logical lines of a Dockerfile. */
export function lexDockerfile(text: string): LexedFile {
  const physical = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const directives: Record<string, string> = {};
  const errors: { line: number; message: string; source: string }[] = [];
  let index = 0;
  for (; index < physical.length; index++) {
    const source = physical[index] ?? "";
    const match = DIRECTIVE.exec(source);
    const key = match?.[1]?.toLowerCase() ?? "";
    if (match === null || !KNOWN_DIRECTIVES.has(key)) break;
    if (directives[key] !== undefined) {
      errors.push({ line: index + 1, message: `only one ${key} parser directive can be used`, source });
    }
    directives[key] = (match[2] ?? "").trimEnd();
  }
  const escapeMark = directives.escape === "`" ? "`" : "\\";
  if (directives.escape !== undefined && directives.escape !== "`" && directives.escape !== "\\") {
    errors.push({ line: 1, message: `invalid escape character ${JSON.stringify(directives.escape)}`, source: "" });
  }

  const lines: LogicalLine[] = [];
  const isComment = (line: string): boolean => /^\s*#/.test(line);
  while (index < physical.length) {
    const first = physical[index] ?? "";
    const line = index + 1;
    index++;
    if (first.trim() === "" || isComment(first)) continue;
    let joined = "";
    let piece: string | undefined = first;
    while (piece !== undefined) {
      const cut = continued(piece, escapeMark);
      joined += cut ?? piece;
      if (cut === undefined) break;
      while (index < physical.length && ((physical[index] ?? "").trim() === "" || isComment(physical[index] ?? ""))) {
        index++;
      }
      piece = physical[index];
      if (piece !== undefined) index++;
    }
    const heredocs: Heredoc[] = [];
    for (const opening of heredocsIn(joined)) {
      const body: string[] = [];
      const start = index;
      let closed = false;
      while (index < physical.length && !closed) {
        const raw = physical[index] ?? "";
        index++;
        const shown = opening.chomp ? raw.replace(/^\t+/, "") : raw;
        closed = shown === opening.name;
        if (!closed) body.push(shown);
      }
      if (!closed) {
        errors.push({ line, message: `unterminated heredoc ${opening.name}`, source: first });
        // it has taken the rest of the file: the line's others cannot end either
        break;
      }
      const content = body.length === 0 ? "" : `${body.join("\n")}\n`;
      const source = `${physical.slice(start, index).join("\n")}\n`;
      heredocs.push({ name: opening.name, expand: opening.expand, content, source });
    }
    lines.push({ line, text: joined.trim(), source: first, heredocs });
  }
  return { escape: escapeMark, directives, lines, errors };
}

/** The line without its continuation mark, or undefined when it ends here. */
function continued(line: string, escapeMark: string): string | undefined {
  const trimmed = withoutTrailing(line, " \t");
  return trimmed.endsWith(escapeMark) ? trimmed.slice(0, -1) : undefined;
}

function heredocsIn(text: string): { name: string; expand: boolean; chomp: boolean }[] {
  const match = /^\s*(?:onbuild\s+)?(run|copy|add)\s+([\s\S]*)$/i.exec(text);
  const rest = match?.[2]?.replace(/^(?:--\S+\s+)*/, "") ?? "";
  if (match === null || rest.startsWith("[")) return [];
  return [...rest.matchAll(HEREDOC)].map(([, chomp, double, single, bare]) => ({
    name: double ?? single ?? bare ?? "",
    expand: bare !== undefined,
    chomp: chomp === "-",
  }));
}
