/**
 * Nodes of a document to a tree. Aliases are expanded into separate copies under a budget, so later phases may change the tree in place
 * and alias bombs are refused early.
 */
import type { Node, Pair, Scalar } from "yaml";
import { isAlias, isScalar, isSeq, isMap as isYamlMap } from "yaml";
import type { SourcePlace } from "../../lib/errors.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { nearest } from "../../lib/nearest.js";
import type { Path, Tree, TreeMap } from "../tree.js";
import { isMap, newMap } from "../tree.js";
import type { AnyDocument } from "./locate.js";
import { dateOf, isBrokenBinary, isMergeKey, scalarValue, tagMismatch } from "./scalar.js";

/** Nodes that aliases may add to one document before it counts as a bomb. */
const ALIAS_BUDGET = 100_000;
/** Levels of nesting that are read. */
export const MAX_DEPTH = 200;

/** Builds the tree of one document, once. Throws TSC_COMPOSE_YAML and TSC_COMPOSE_KEY_NOT_STRING with a place. */
export class TreeBuilder {
  /** Paths tagged `!reset` or `!override`. */
  readonly resets: Path[] = [];
  readonly #document: AnyDocument;
  readonly #name: string;
  readonly #place: (offset: number) => SourcePlace;
  readonly #text: string;
  /** The nodes of each anchor name in document order: an alias means the last one before it. */
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Map<Node, Path>();
  #aliased = 0;
  #insideAlias = 0;

  constructor(document: AnyDocument, name: string, place: (offset: number) => SourcePlace, text: string) {
    this.#document = document;
    this.#name = name;
    this.#place = place;
    this.#text = text;
  }

  /** The tree; null for an empty document. */
  build(): Tree {
    const root = this.#document.contents as Node | null;
    return root === null ? null : (this.#value(root, []) ?? null);
  }

  /** The tree of a node; undefined for one that `!reset` removes. */
  #value(node: Node | null, path: Path): Tree | undefined {
    if (node === null) return null;
    if (path.length > MAX_DEPTH) throw this.#error(node, `nested more than ${MAX_DEPTH} levels deep`);
    if (this.#insideAlias > 0 && ++this.#aliased > ALIAS_BUDGET) {
      throw this.#error(node, "document contains excessive aliasing");
    }
    if (isAlias(node)) return this.#alias(node, path, (target) => this.#value(target, path));
    const anchor = node.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    const tag = node.tag;
    const isReset = tag === "!reset";
    if (isReset || tag === "!override") this.resets.push(path);
    if (isScalar(node)) return isReset ? undefined : this.#scalar(node as Scalar, path);
    this.#open.set(node, path);
    const value = isSeq(node) ? this.#list(node.items as Node[], path) : isYamlMap(node) ? this.#map(node, path) : null;
    this.#open.delete(node);
    // read all the same: aliases further down may mean anchors in it
    return isReset ? undefined : value;
  }

  #scalar(node: Scalar, path: Path): Tree {
    this.#refuseBrokenBinary(node);
    const mismatch = tagMismatch(node);
    if (mismatch !== undefined) throw this.#error(node, mismatch);
    const date = dateOf(node);
    if (date !== undefined) return this.#date(node, path, date);
    const value = scalarValue(node);
    const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
    if (!isBlock || typeof value !== "string" || !value.endsWith("\n")) return value;
    // YAML 1.2 §8.1.1.2: chomping keeps a final line break; it adds none where the file ends without one
    return this.#endsUnbroken(node) ? value.slice(0, -1) : value;
  }

  #refuseBrokenBinary(node: Scalar): void {
    if (isBrokenBinary(node)) throw this.#error(node, "!!binary value contains invalid base64 data");
  }

  /** No attribute is a date, and its text is lost to a reader of YAML 1.1; extensions hold anything. */
  #date(node: Scalar, path: Path, date: string): string {
    if (path.some((part) => typeof part === "string" && part.startsWith("x-"))) return date;
    const written = String(node.value);
    throw this.#error(node, `${bracketed(path)} is a date, not a text`, `quote it: "${written}"`);
  }

  #endsUnbroken(node: Scalar): boolean {
    return node.range?.[1] === this.#text.length && !this.#text.endsWith("\n");
  }

  #alias<T>(node: Node & { readonly source: string }, path: Path, use: (target: Node) => T): T {
    const target = this.#anchors.get(node.source);
    if (target === undefined)
      throw this.#error(node, `unknown anchor '${node.source}' referenced`, this.#anchorHint(node.source));
    const outer = this.#open.get(target);
    if (outer !== undefined) {
      throw this.#error(
        node,
        `cycle detected: node at path ${path.join(".")} references node at path ${outer.join(".")}`,
      );
    }
    this.#insideAlias++;
    const value = use(target);
    this.#insideAlias--;
    return value;
  }

  #list(items: readonly Node[], path: Path): Tree[] {
    const list: Tree[] = [];
    for (const item of items) {
      const value = this.#value(item, [...path, list.length]);
      if (value !== undefined) list.push(value);
    }
    return list;
  }

  #map(node: Node & { readonly items: readonly Pair[] }, path: Path): TreeMap {
    const map = newMap();
    const merges: TreeMap[] = [];
    const seen = new Map<string, Node>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      const key = this.#key(keyNode, path);
      const isMerge = isScalar(keyNode) && isMergeKey(keyNode);
      const earlier = seen.get(key);
      if (earlier !== undefined) {
        const line = this.#place(earlier.range?.[0] ?? 0).line;
        throw this.#error(keyNode, `mapping key ${JSON.stringify(key)} already defined at line ${line}`);
      }
      seen.set(key, keyNode);
      if (isMerge) {
        // read where it stands: an alias means the anchor before it, and anchors inside are known from here on
        merges.push(...this.#mergeSources(pair.value as Node, path));
        continue;
      }
      const value = this.#value(pair.value as Node | null, [...path, key]);
      if (value !== undefined) map[key] = value;
    }
    for (const source of merges) {
      for (const name in source) if (!(name in map) && !seen.has(name)) map[name] = source[name] as Tree;
    }
    return map;
  }

  /** The maps that `<<` names, in order: they give keys that are not there yet, and the first of several wins. */
  #mergeSources(source: Node, path: Path, written = source): TreeMap[] {
    if (isAlias(source)) return this.#alias(source, path, (target) => this.#mergeSources(target, path, written));
    if (isSeq(source)) return source.items.flatMap((item) => this.#mergeSources(item as Node, path));
    if (!isYamlMap(source)) throw this.#error(written, "map merge requires map or sequence of maps as the value");
    const value = this.#value(source, path);
    return isMap(value) ? [value] : [];
  }

  #key(node: Node | null, path: Path): string {
    if (node !== null && isAlias(node)) return this.#alias(node, path, (target) => this.#key(target, path));
    if (node === null || !isScalar(node)) throw this.#error(node, "a mapping key must be a string");
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#refuseBrokenBinary(node as Scalar);
    const value = scalarValue(node as Scalar);
    if (typeof value === "string") return value;
    const where = path.length === 0 ? "at top level" : `in ${bracketed(path)}`;
    throw new TscError(
      "TSC_COMPOSE_KEY_NOT_STRING",
      `non-string key ${where}: ${value === null ? "<nil>" : String(value)}`,
      {
        kind: "invalid-input",
        where: this.#place(node.range?.[0] ?? 0),
        hint: `quote it: "${String(value)}"`,
      },
    );
  }

  #anchorHint(source: string): string {
    const near = nearest(source, [...this.#anchors.keys()]);
    if (near !== undefined) return `did you mean *${near}?`;
    return /^\w/.test(source)
      ? `write &${source} behind the key it stands for, further up`
      : "quote text that starts with *";
  }

  #error(node: Node | null, message: string, hint?: string): TscError {
    const where = this.#place(node?.range?.[0] ?? 0);
    return new TscError("TSC_COMPOSE_YAML", `failed to parse ${this.#name}: yaml: line ${where.line}: ${message}`, {
      kind: "invalid-input",
      where,
      ...given({ hint }),
    });
  }
}

function bracketed(path: Path): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}
