/** What a person should know before a project is published: bind mounts, env declarations, literal contents, secrets. Pure. */
import type { Project } from "../../compose/model.js";
import { printable } from "../../lib/printable.js";
import { joined, type Printed, printedWord } from "../render/printed.js";
import type { SourceFile } from "./source-files.js";

/** Lines whose last one asks. */
function question(lines: readonly string[]): Printed {
  return joined(lines.map(printedWord), "\n");
}

/** The question for bind mounts, or undefined without any. */
export function bindMountQuestion(project: Project): Printed | undefined {
  const lines = Object.entries(project.services).flatMap(([service, { volumes }]) =>
    (volumes ?? [])
      .filter(({ type }) => type === "bind")
      .map(({ source, target }) => `  service "${service}": ${printable(source ?? "")}:${printable(target ?? "")}`),
  );
  if (lines.length === 0) return undefined;
  return question([
    "you are about to publish bind mounts declaration within your OCI artifact.",
    "only the bind mount declarations will be added to the OCI artifact (not content)",
    "please double check that you are not mounting potential user's sensitive directories or data",
    ...lines,
    "Are you ok to publish these bind mount declarations?",
  ]);
}

const SENSITIVE_KEY = /passw|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credential|auth/i;

/** A value that would be published as it is, not a variable to be filled in later. */
function isLiteral(value: string): boolean {
  return /^[^${\s].+[^}\s]$/s.test(value.replaceAll("$$", "X"));
}

/** The question for env files and literal values of sensitive-looking keys. */
export function environmentQuestion(files: readonly SourceFile[]): Printed | undefined {
  const lines = new Set<string>();
  for (const { model } of files) {
    for (const [service, config] of entriesOf(model["services"])) {
      if (typeof config !== "object" || config === null) continue;
      const { env_file: envFile, environment } = config as Readonly<Record<string, unknown>>;
      if (envFile !== undefined && envFile !== null) lines.add(`  service "${service}": env_file declared`);
      const literal = pairsOf(environment).filter(([key, value]) => SENSITIVE_KEY.test(key) && isLiteral(value));
      if (literal.length === 0) continue;
      const keys = literal.map(([key]) => `"${printable(key, 80)}"`).toSorted();
      lines.add(`  service "${service}": literal value for ${keys.join(", ")}`);
    }
  }
  if (lines.size === 0) return undefined;
  return question([
    "you are about to publish env-related declarations within your OCI artifact.",
    "env_file paths and literal values for sensitive-looking keys are embedded as-is in the published YAML;",
    'interpolated values like "${VAR}" are kept symbolic and have already been excluded.',
    ...[...lines].toSorted(),
    "Use --with-env to silence this prompt and always publish env declarations.",
    "Are you ok to publish these env declarations?",
  ]);
}

/** The question for configs with literal content. */
export function contentQuestion(files: readonly SourceFile[]): Printed | undefined {
  const names = new Set<string>();
  for (const { model } of files) {
    for (const [name, config] of entriesOf(model["configs"])) {
      const content = typeof config === "object" && config !== null && "content" in config ? config.content : undefined;
      if (typeof content === "string" && isLiteral(content)) names.add(name);
    }
  }
  if (names.size === 0) return undefined;
  return question([
    "you are about to publish literal inline config content within your OCI artifact.",
    ...[...names].toSorted().map((name) => `  config "${name}"`),
    "Are you ok to publish these config contents?",
  ]);
}

/** Formats of well-known secrets; the last group of a match is the secret. */
const DETECTORS: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["AWS Client ID", /\b((?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|A3T[A-Z0-9])[A-Z0-9]{16})\b/g],
  ["AWS Secret Key", /aws[\w.-]{0,30}(?:["']|["']?\s*[:=]\s*["']?)([A-Za-z0-9/+=]{40})(?![A-Za-z0-9/+=])/gi],
  ["Github authentication", /\b((?:gh[pousr]_[A-Za-z0-9]{36,255})|(?:github_pat_[A-Za-z0-9_]{50,255}))\b/g],
  ["JSON Web Token", /\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g],
  ["Private Key", /(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)/g],
];

/** What looks like a well-known secret, and where. */
export interface Secret {
  readonly type: string;
  /** `services.web.environment.KEY`, the name of a variable, or a path. */
  readonly place: string;
  /** Shortened: the question must not leak what it warns of. */
  readonly shown: string;
}

/** A text and how a person finds it. */
export interface PlacedText {
  readonly place: string;
  readonly text: string;
}

/** Secrets in the texts, each at the first place that has it. */
export function findSecrets(texts: readonly PlacedText[]): readonly Secret[] {
  const found = new Map<string, Secret>();
  for (const { place, text } of texts) {
    for (const [type, pattern] of DETECTORS) {
      for (const [, secret = ""] of text.slice(0, 1 << 22).matchAll(pattern)) {
        const shown = secret.startsWith("-----") ? secret : `${secret.slice(0, 4)}…`;
        const key = `${type} ${secret}`;
        if (!found.has(key)) found.set(key, { type, place, shown: printable(shown, 80) });
      }
    }
  }
  return [...found.values()];
}

/** The values of a compose file by their paths, then the whole file: a comment is published as well. */
export function textsOfModel(path: string, model: unknown, text: string): readonly PlacedText[] {
  const texts: PlacedText[] = [];
  const visit = (value: unknown, place: readonly string[]): void => {
    if (typeof value === "object" && value !== null) {
      const isList = Array.isArray(value);
      for (const [key, child] of Object.entries(value)) visit(child, isList ? place : [...place, key]);
    } else if (typeof value === "string") {
      // `- KEY=value` is named like `KEY: value`
      const key = /^([A-Za-z_]\w*)=/.exec(value)?.[1];
      const named = key === undefined ? place : [...place, key];
      texts.push({ place: named.join("."), text: `${named.at(-1) ?? ""}: ${value}` });
    }
  };
  visit(model, []);
  return [...texts, { place: path, text }];
}

/** The lines of an env file by their variables, then the whole file. */
export function textsOfEnvFile(path: string, text: string): readonly PlacedText[] {
  const lines = text.split("\n").flatMap((line): PlacedText[] => {
    const key = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]/.exec(line)?.[1];
    return key === undefined ? [] : [{ place: key, text: line }];
  });
  return [...lines, { place: path, text }];
}

/** The question for secrets, or undefined without any. */
export function secretQuestion(secrets: readonly Secret[]): Printed | undefined {
  if (secrets.length === 0) return undefined;
  return question([
    "you are about to publish sensitive data within your OCI artifact.",
    "please double check that you are not leaking sensitive data",
    ...secrets.flatMap(({ type, place, shown }) => [type, `"${printable(place)}": ${shown}`]),
    "Are you ok to publish these sensitive data?",
  ]);
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** `environment:` in either form; keys without a value are left out. */
function pairsOf(value: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const text = String(item);
      const equals = text.indexOf("=");
      return equals < 0 ? [] : [[text.slice(0, equals), text.slice(equals + 1)] as const];
    });
  }
  return entriesOf(value).flatMap(([key, item]) => (item === null ? [] : [[key, String(item)] as const]));
}
