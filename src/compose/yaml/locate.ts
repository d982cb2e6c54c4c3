/** Where in a parsed document a path of the tree was written, through aliases and merge keys. */
import type { Document, Node, Pair, ParsedNode } from "yaml";
import { isAlias, isScalar, isSeq, isMap as isYamlMap } from "yaml";
import type { Path } from "../tree.js";

/** A document as the YAML package gives it. */
export type AnyDocument = Document<ParsedNode, boolean>;

/** The offset of the deepest node along a path, following aliases and merge keys. */
export function offsetOf(
  document: AnyDocument,
  path: Path,
  onKey: boolean,
): { offset: number; matched: number } | undefined {
  let node = document.contents as Node | null;
  if (node === null) return undefined;
  let offset = node.range?.[0] ?? 0;
  let matched = 0;
  for (const part of path) {
    node = resolveAlias(document, node);
    if (node === null) break;
    if (isSeq(node)) {
      const item = (typeof part === "number" ? node.items[part] : named(node.items, part)) as Node | undefined;
      if (item === undefined) break;
      node = item;
      offset = item.range?.[0] ?? offset;
    } else if (isYamlMap(node)) {
      const pair = findPair(document, node, String(part), 0);
      if (pair === undefined) break;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      const last = matched === path.length - 1;
      offset =
        ((onKey || !last) && last ? key.range?.[0] : isScalar(value) && last ? value.range?.[0] : key.range?.[0]) ??
        offset;
      node = value;
    } else break;
    matched++;
    if (node === null) break;
  }
  return { offset, matched };
}

/** The item of a short form that means the key `name` of the long one: `name`, `name=…` or `name:…`. */
function named(items: readonly unknown[], name: string): unknown {
  return items.find((item) => {
    const value = isScalar(item) ? item.value : undefined;
    if (typeof value !== "string" || !value.startsWith(name)) return false;
    return value.length === name.length || value[name.length] === "=" || value[name.length] === ":";
  });
}

function resolveAlias(document: AnyDocument, node: Node | null): Node | null {
  return node !== null && isAlias(node) ? ((node.resolve(document as never) as Node | undefined) ?? null) : node;
}

function findPair(
  document: AnyDocument,
  map: { readonly items: readonly Pair[] },
  key: string,
  depth: number,
): Pair | undefined {
  for (const pair of map.items) {
    if (isScalar(pair.key) && pair.key.value === key) return pair;
  }
  if (depth > 16) return undefined;
  for (const pair of map.items) {
    if (!isScalar(pair.key) || pair.key.value !== "<<") continue;
    const source = resolveAlias(document, pair.value as Node | null);
    const sources = isSeq(source) ? source.items.map((item) => resolveAlias(document, item as Node)) : [source];
    for (const candidate of sources) {
      const found = isYamlMap(candidate) ? findPair(document, candidate, key, depth + 1) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
