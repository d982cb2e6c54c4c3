/**
 * Text to trees that can say where a path was written: YAML 1.2 with merge keys and leading-zero octals, `!reset` and `!override`,
 * duplicate keys refused. Knows nothing of compose attributes.
 */

import { LineCounter, parseAllDocuments } from "yaml";
import type { SourcePlace } from "../../lib/errors.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { Path, Tree } from "../tree.js";
import { MAX_DEPTH, TreeBuilder } from "./build-tree.js";
import { refuseControls } from "./encoding.js";
import { yamlProblem } from "./errors.js";
import { breakLines, moveLines, OLD_BREAKS } from "./lenient.js";
import type { AnyDocument } from "./locate.js";
import { offsetOf } from "./locate.js";

const MAX_TEXT = 4 * 1024 * 1024;

/** One document of a file. */
interface YamlDocument {
  readonly tree: Tree;
  /** Paths tagged `!reset` or `!override`: removed from what was merged before. */
  readonly resets: readonly Path[];
}

/** A parsed file, able to say where a path was written. */
export interface YamlFile {
  readonly name: string;
  readonly documents: readonly YamlDocument[];
  /** The place of the deepest written ancestor of `path`, and how many of its parts were found. */
  locate(path: Path, onKey?: boolean): { readonly place: SourcePlace; readonly matched: number } | undefined;
}

/** Parses a file of one or more documents. Throws TSC_COMPOSE_YAML with a place. `name` appears in messages. */
export function parseYaml(text: string, name: string): YamlFile {
  if (text.length > MAX_TEXT) {
    throw new TscError("TSC_COMPOSE_FILE_TOO_LARGE", `compose file ${name} is larger than 4 MiB`, {
      kind: "invalid-input",
    });
  }
  refuseControls(text, name);
  refuseDeepNesting(text, name);
  const { documents, read, lines } = parseLenient(unixLines(text), name);
  const place = (offset: number): SourcePlace => placeAt(read, name, lines, offset);
  const built: YamlDocument[] = [];
  for (const document of documents) {
    const builder = new TreeBuilder(document, name, place, read);
    built.push({ tree: builder.build(), resets: builder.resets });
  }
  return {
    name,
    documents: built,
    locate: (path, onKey) => {
      let best: { offset: number; matched: number } | undefined;
      for (const document of documents) {
        const found = offsetOf(document, path, onKey === true);
        if (found !== undefined && (best === undefined || found.matched >= best.matched)) best = found;
      }
      return best === undefined ? undefined : { place: place(best.offset), matched: best.matched };
    },
  };
}

/** YAML 1.2 §5.4: a carriage return alone breaks a line, too; offsets stay as they are. */
function unixLines(text: string): string {
  return text.includes("\r") ? text.replace(/\r(?!\n)/g, "\n") : text;
}

interface Parsed {
  readonly documents: readonly AnyDocument[];
  /** The text that was read in the end. */
  readonly read: string;
  readonly lines: LineCounter;
}

/** Parses; moves lines of quoted scalars and flow collections where only their indentation is wrong. Throws TSC_COMPOSE_YAML. */
function parseLenient(text: string, name: string): Parsed {
  let read = text;
  if (text.search(OLD_BREAKS) >= 0) read = breakLines(text, documentsOf(text, new LineCounter()));
  for (let moved = 0; ; moved++) {
    const lines = new LineCounter();
    const documents = documentsOf(read, lines);
    const broken = documents.find(({ errors }) => errors.length > 0);
    const error = broken?.errors[0];
    if (broken === undefined || error === undefined) return { documents, read, lines };
    const indented = moveLines(read, broken, error.pos[0], moved);
    if (indented === undefined) {
      const { message, hint, offset } = yamlProblem(error, broken, read);
      const where = placeAt(read, name, lines, offset);
      throw new TscError("TSC_COMPOSE_YAML", `failed to parse ${name}: yaml: line ${where.line}: ${message}`, {
        kind: "invalid-input",
        where,
        ...given({ hint }),
      });
    }
    read = indented;
  }
}

function documentsOf(text: string, lineCounter: LineCounter): AnyDocument[] {
  return parseAllDocuments(text, {
    version: "1.2",
    schema: "failsafe",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
    keepSourceTokens: false,
    logLevel: "silent",
  }) as unknown as AnyDocument[];
}

/** Flow nesting makes the parser recurse; real files never get near this. */
function refuseDeepNesting(text: string, name: string): void {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 91 || c === 123) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if ((c === 93 || c === 125) && depth > 0) depth--;
    else if (c === 10 && depth > 0 && deepest < MAX_DEPTH && text.charCodeAt(i + 1) !== 32) depth = 0;
  }
  // block nesting: `- - - -` or ever deeper indentation
  if (deepest < MAX_DEPTH && !/(?:[-?:] ){200}/.test(text) && !/\n {2000}/.test(text)) return;
  if (deepest >= MAX_DEPTH || /(?:[-?:] ){200}/.test(text)) {
    throw new TscError("TSC_COMPOSE_YAML", `failed to parse ${name}: yaml: nested more than ${MAX_DEPTH} levels deep`, {
      kind: "invalid-input",
    });
  }
}

function placeAt(text: string, file: string, lines: LineCounter, offset: number): SourcePlace {
  const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
  const start = lines.lineStarts[line - 1] ?? 0;
  const end = text.indexOf("\n", start);
  return {
    file,
    line: Math.max(line, 1),
    column: Math.max(col, 1),
    text: text.slice(start, end < 0 ? text.length : end).replace(/\r$/, ""),
  };
}
