/** Finds what a project asks for and does not get. Pure; who finds it says it: the plan before anything is made, the linter at its place. */
import type { Project } from "../model.js";
import { bracketPath, type Path } from "../tree.js";
import { DESCRIPTIVE, HONOURED } from "./honoured.js";
import { LIMITS, LIMITS_ELSEWHERE } from "./limits.js";
import type { Attributes, Limit } from "./types.js";

/** Sections of a project whose entries have attributes, with the word for one entry. */
const ENTRY = {
  services: "service",
  networks: "network",
  volumes: "volume",
  secrets: "secret",
  configs: "config",
} as const;
type Section = keyof typeof ENTRY;

/** A limit that a project meets. */
export interface Met {
  readonly limit: Limit;
  /** Where in the model. */
  readonly path: Path;
  /** `service "web": deploy.placement`, with the value behind it where others would be honoured. */
  readonly subject: string;
}

interface Row {
  readonly limit: Limit;
  readonly pattern: readonly string[];
}

/** Rows by section, their patterns below an entry; those of the project's own keys under "". */
const ROWS = Map.groupBy(
  LIMITS.map((limit): Row & { readonly section: string } => {
    const [section = "", star, ...pattern] = partsOf(limit.path);
    return star === "*" ? { limit, section, pattern } : { limit, section: "", pattern: partsOf(limit.path) };
  }),
  ({ section }) => section,
);

/** The limits that an entry of a section meets, in the order of the table. */
export function limitsMet(section: Section, name: string, entry: object): Met[] {
  return found(section, entry).map(({ limit, value, path }): Met => {
    const shown = limit.only !== undefined && typeof value !== "object" ? `: ${String(value)}` : "";
    const subject = `${ENTRY[section]} ${JSON.stringify(name)}: ${bracketPath(path)}${shown}`;
    return { limit, path: [section, name, ...path], subject };
  });
}

/** The limits that the keys of a whole project meet (`x-podman`). */
export function projectLimitsMet(project: object): Met[] {
  return found("", project).map(({ limit, path }): Met => ({ limit, path, subject: bracketPath(path) }));
}

function found(
  section: string,
  entry: object,
): { readonly limit: Limit; readonly value: unknown; readonly path: Path }[] {
  return (ROWS.get(section) ?? [])
    .filter(({ pattern: [first = ""] }) => Object.hasOwn(entry, first))
    .flatMap(({ limit, pattern }) =>
      valuesAt(entry, pattern, [], [])
        .filter(
          ({ value, parents: [parent = {}, above = {}] }) =>
            isAsked(value) && limit.only?.applies(value, parent, above) !== false,
        )
        .map(({ value, path }) => ({ limit, value, path })),
    );
}

/** Every limit that a project meets: its own keys, then each entry by section and name. */
export function allLimitsMet(project: Project): Met[] {
  const sections = Object.keys(ENTRY) as Section[];
  return [
    ...projectLimitsMet(project),
    ...sections.flatMap((section) =>
      Object.entries<object>(project[section]).flatMap(([name, entry]) => limitsMet(section, name, entry)),
    ),
  ];
}

/** What is said of it: `… has no effect: …`, or `… is not supported`. */
export function limitText({ limit, subject }: Met): string {
  return limit.outcome === "told" ? `${subject} has no effect: ${limit.why}` : `${subject} is not supported`;
}

/** The attributes that the specification knows at a place of the model or of a file. */
export function namesAt(path: Path): string[] {
  const attributes = [
    ...Object.entries(HONOURED).flatMap(([place, names]) =>
      names.split(" ").map((name) => partsOf(`${place}.${name}`)),
    ),
    ...Object.entries(DESCRIPTIVE).flatMap(([place, names]) =>
      names.split(" ").map((name) => partsOf(`${place}.${name}`)),
    ),
    ...[...LIMITS, ...LIMITS_ELSEWHERE].map((limit) => partsOf(limit.path)),
  ].map((parts) => parts.filter((part) => part !== ""));
  const isHere = (parts: readonly string[]): boolean =>
    parts.length === path.length + 1 &&
    path.every((key, i) => parts[i] === key || parts[i] === (typeof key === "number" ? "[]" : "*"));
  const names = attributes.filter(isHere).map((parts) => parts.at(-1) ?? "");
  return [...new Set(names)].filter((name) => !name.startsWith("x-"));
}

interface Found {
  readonly value: unknown;
  /** The maps around it, the nearest first. */
  readonly parents: readonly Attributes[];
  readonly path: Path;
}

/** `services.*.x-podman.dns` has the one key `x-podman.dns` below a service, but `x-podman.in_pod` is a key of the map `x-podman`. */
function partsOf(pattern: string): string[] {
  const parts = pattern.replaceAll("[]", ".[]").split(".");
  const at = parts.indexOf("x-podman");
  return at <= 0 ? parts : [...parts.slice(0, at), parts.slice(at).join(".")];
}

function valuesAt(node: unknown, pattern: readonly string[], path: Path, parents: Found["parents"]): Found[] {
  const [part, ...rest] = pattern;
  if (part === undefined) return [{ value: node, parents, path }];
  if (typeof node !== "object" || node === null) return [];
  if (part === "[]") {
    return Array.isArray(node) ? node.flatMap((item, i) => valuesAt(item, rest, [...path, i], parents)) : [];
  }
  const map = node as Attributes;
  const keys = part === "*" ? Object.keys(map) : Object.hasOwn(map, part) ? [part] : [];
  return keys.flatMap((key) => valuesAt(map[key], rest, [...path, key], [map, ...parents]));
}

/** `false`, and what is there only because the model has no gaps (`placement: {}`), ask for nothing. */
function isAsked(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
