/**
 * Which registry servers stand for a repository: registries.conf (containers-registries.conf(5), version 2), its drop-ins and
 * short-name aliases, and TLS files from certs.d. Reads files; contacts nobody.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf, TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import type { Reference } from "../reference.js";
import type { TlsOptions } from "./http.js";

/** A server to try, and the repository's name on it. */
export interface Endpoint {
  /** Host and port to connect to. */
  readonly host: string;
  readonly path: string;
  /** Plain http, or https without verification, is allowed. */
  readonly insecure: boolean;
  /** False for the registry itself. */
  readonly mirror: boolean;
}

interface MirrorRule {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFrom: "all" | "digest-only" | "tag-only";
}
interface RegistryRule {
  readonly prefix: string;
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
}

/** What containers-registries.conf(5) says. */
export interface RegistriesConfig {
  readonly rules: readonly RegistryRule[];
  /** Short name → full name without tag. */
  readonly aliases: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the configuration that applies to this person; `TSC_REGISTRY_CONFIG` for a broken file. */
export async function loadRegistriesConfig(env: Env): Promise<RegistriesConfig> {
  const home = env.HOME ?? "";
  const explicit = env.CONTAINERS_REGISTRIES_CONF;
  const user = home === "" ? "" : join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "containers");
  const files: string[] = [];
  if (explicit !== undefined && explicit !== "") files.push(explicit);
  else {
    const main = [join(user, "registries.conf"), "/etc/containers/registries.conf"].find(
      (path) => path.startsWith("/") && readText(path) !== undefined,
    );
    if (main !== undefined) files.push(main);
    for (const folder of ["/etc/containers/registries.conf.d", join(user, "registries.conf.d")]) {
      if (folder.startsWith("/")) files.push(...configFiles(folder));
    }
  }
  const rules = new Map<string, RegistryRule>();
  const aliases: Record<string, string> = {};
  for (const file of files) {
    const text = readText(file);
    // most installed files hold only comments: no need to load a parser for them
    if (text === undefined || !/^\s*[^#\s]/m.test(text)) continue;
    const { parse } = await import("smol-toml");
    let document: Record<string, unknown>;
    try {
      document = parse(text);
    } catch (error) {
      throw new TscError("TSC_REGISTRY_CONFIG", `${file}: ${printable(messageOf(error))}`, { kind: "invalid-input" });
    }
    for (const rule of readRules(document, file)) rules.set(rule.prefix, rule);
    for (const [name, value] of Object.entries(object(document.aliases))) {
      if (typeof value === "string") aliases[name] = value;
    }
  }
  return { rules: [...rules.values()], aliases };
}

function configFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR" || errnoOf(error) === "EACCES") return [];
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function readRules(document: Readonly<Record<string, unknown>>, file: string): RegistryRule[] {
  const list = Array.isArray(document.registry) ? document.registry : [];
  return list.map((entry): RegistryRule => {
    const raw = object(entry);
    const location = typeof raw.location === "string" ? raw.location : "";
    const prefix = typeof raw.prefix === "string" && raw.prefix !== "" ? raw.prefix : location;
    if (prefix === "") {
      throw new TscError("TSC_REGISTRY_CONFIG", `${file}: a [[registry]] has neither prefix nor location`, {
        kind: "invalid-input",
      });
    }
    const digestOnly = raw["mirror-by-digest-only"] === true;
    return {
      prefix,
      location,
      insecure: raw.insecure === true,
      blocked: raw.blocked === true,
      mirrors: (Array.isArray(raw.mirror) ? raw.mirror : []).flatMap((item): MirrorRule[] => {
        const mirror = object(item);
        if (typeof mirror.location !== "string") return [];
        const mode = mirror["pull-from-mirror"];
        const pullFrom = digestOnly ? "digest-only" : mode === "digest-only" || mode === "tag-only" ? mode : "all";
        return [{ location: mirror.location, insecure: mirror.insecure === true, pullFrom }];
      }),
    };
  });
}

/** Applies the aliases to a name as a person wrote it (`alpine`, `alpine:3`); the text unchanged when none fits. */
export function applyAlias(config: RegistriesConfig, text: string): string {
  const match = /^([^/:@]+)([:@].*)?$/.exec(text);
  const target = match?.[1] === undefined ? undefined : config.aliases[match[1]];
  return target === undefined ? text : target + (match?.[2] ?? "");
}

/** Servers for a repository in the order to try them; `TSC_REGISTRY_BLOCKED`. Pushes go to the registry itself only. */
export function endpointsFor(config: RegistriesConfig, reference: Reference, forPush: boolean): Endpoint[] {
  const name = `${reference.domain}/${reference.path}`;
  const rule = config.rules
    .filter((candidate) => matchesPrefix(candidate.prefix, name))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
  if (rule?.blocked === true) {
    throw new TscError("TSC_REGISTRY_BLOCKED", `registry of ${name} is blocked in registries.conf`, { kind: "denied" });
  }
  const endpoints: Endpoint[] = [];
  const rewrite = (location: string, prefix: string) => {
    if (location === "" || prefix.startsWith("*.")) return name;
    return location + name.slice(prefix.length);
  };
  const add = (fullName: string, insecure: boolean, mirror: boolean) => {
    const slash = fullName.indexOf("/");
    const domain = fullName.slice(0, slash);
    const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
    endpoints.push({ host, path: fullName.slice(slash + 1), insecure: insecure || isLoopback(host), mirror });
  };
  if (rule !== undefined && !forPush) {
    const byDigest = reference.digest !== undefined;
    for (const mirror of rule.mirrors) {
      const isWanted = mirror.pullFrom === "all" || (mirror.pullFrom === "digest-only") === byDigest;
      if (isWanted) add(rewrite(mirror.location, rule.prefix), mirror.insecure, true);
    }
  }
  add(rule === undefined ? name : rewrite(rule.location, rule.prefix), rule?.insecure ?? false, false);
  return endpoints;
}

function matchesPrefix(prefix: string, name: string): boolean {
  if (prefix.startsWith("*.")) return name.slice(0, name.indexOf("/")).replace(/:\d+$/, "").endsWith(prefix.slice(1));
  return name === prefix || (name.startsWith(prefix) && /^[/:@]/.test(name.slice(prefix.length)));
}

/** True for localhost, 127.0.0.0/8 and [::1], with or without a port. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** Client certificates and CAs for a host: /etc/containers/certs.d, /etc/docker/certs.d and the person's own. */
export function tlsFilesFor(env: Env, host: string): TlsOptions {
  const folders = ["/etc/docker/certs.d", "/etc/containers/certs.d"];
  if (env.HOME !== undefined)
    folders.push(join(env.XDG_CONFIG_HOME ?? join(env.HOME, ".config"), "containers/certs.d"));
  let result: TlsOptions = {};
  for (const folder of folders.map((base) => join(base, host))) {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      // absent or not ours to read: the system's certificates decide
      continue;
    }
    const ca = names.filter((name) => name.endsWith(".crt")).map((name) => readFileSync(join(folder, name)));
    const cert = names.find((name) => name.endsWith(".cert"));
    const key = cert === undefined ? undefined : names.find((name) => name === cert.replace(/\.cert$/, ".key"));
    if (ca.length > 0) result = { ...result, ca };
    if (cert !== undefined && key !== undefined) {
      result = { ...result, cert: readFileSync(join(folder, cert)), key: readFileSync(join(folder, key)) };
    }
  }
  return result;
}
