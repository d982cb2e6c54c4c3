/**
 * Where a login is kept, and how it goes. In what knows the registry already: its credential helper, or the first file with an entry (that
 * one is read first, so another place would be hidden by it). Else in a configured `credsStore`, else in ~/.config/containers/auth.json,
 * which outlives a reboot, unlike podman's default. Files are written whole beside their place, 0600, and renamed.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf, TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import { authFiles, hostKeys, isDockerHub, object, readAuthFile, readEntry } from "./credentials.js";
import { isUnknownToHelper, runHelper } from "./helper.js";

type Env = Readonly<Record<string, string | undefined>>;

/** A registry as credentials know it. */
export interface LoginKey {
  /** Host, with a port perhaps. */
  readonly host: string;
  /** `/namespace` for credentials of a part of the registry; "". */
  readonly namespace: string;
}

/** Where credentials went. */
export interface StoredLogin {
  /** A file, or the name of a helper program. */
  readonly place: string;
  readonly encrypted: boolean;
}

/** Keeps a login. `authFile`: there and nowhere else. `TSC_REGISTRY_CREDENTIALS` when that is not possible. */
export async function storeLogin(
  env: Env,
  key: LoginKey,
  login: { readonly username: string; readonly password: string },
  authFile: string | undefined,
): Promise<StoredLogin> {
  const files = authFile === undefined ? authFiles(env) : [authFile];
  const helper = key.namespace === "" ? helperFor(files, key.host) : undefined;
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: helper.server, Username: login.username, Secret: login.password });
    const { program, code, output } = await runHelper(env, helper.suffix, "store", input);
    if (code === 0) return { place: program, encrypted: true };
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `${program} did not store the login: ${printable(output, 200)}`, {
      kind: "unavailable",
    });
  }
  const file =
    authFile ?? files.find((path) => isWritable(path) && entryKeys(path, key).length > 0) ?? defaultFile(env);
  const document = readAuthFile(file) ?? {};
  const name = entryKeys(file, key)[0] ?? newKey(file, key);
  const auth = Buffer.from(`${login.username}:${login.password}`, "utf8").toString("base64");
  writeAuthFile(file, { ...document, auths: { ...object(document.auths), [name]: { auth } } });
  return { place: file, encrypted: false };
}

/** Forgets the login of a registry (undefined: all of them) wherever it is kept; the places it was in. */
export async function eraseLogin(
  env: Env,
  key: LoginKey | undefined,
  authFile: string | undefined,
): Promise<readonly string[]> {
  const places: string[] = [];
  for (const file of authFile === undefined ? authFiles(env) : [authFile]) {
    const document = readAuthFile(file);
    if (document === undefined || !isWritable(file)) continue;
    const auths = object(document.auths);
    const names = key === undefined ? Object.keys(auths) : entryKeys(file, key);
    const helpers = object(document.credHelpers);
    const asked =
      key === undefined ? [...new Set([...Object.keys(auths), ...Object.keys(helpers)])] : hostKeys(key.host);
    for (const helper of helpersOf(document, asked)) {
      const { program, code, output } = await runHelper(env, helper.suffix, "erase", helper.server);
      if (code === 0) places.push(program);
      else if (!isUnknownToHelper(output)) {
        throw new TscError(
          "TSC_REGISTRY_CREDENTIALS",
          `${program} did not forget the login: ${printable(output, 200)}`,
          {
            kind: "unavailable",
          },
        );
      }
    }
    if (names.length === 0) continue;
    const rest = Object.fromEntries(Object.entries(auths).filter(([name]) => !names.includes(name)));
    writeAuthFile(file, { ...document, auths: rest });
    places.push(file);
  }
  return [...new Set(places)];
}

/** Registries that files have entries for, as written there. */
export function knownLogins(env: Env, authFile: string | undefined): readonly string[] {
  const files = authFile === undefined ? authFiles(env) : [authFile];
  return [...new Set(files.flatMap((file) => Object.keys(object(readAuthFile(file)?.auths))))];
}

/** What `authFile` alone says about a registry. */
export function loginIn(authFile: string, key: LoginKey): { readonly username: string } | undefined {
  const [name] = entryKeys(authFile, key);
  const found = name === undefined ? undefined : readEntry(object(readAuthFile(authFile)?.auths)[name], authFile);
  return found?.kind === "password" ? { username: found.username } : undefined;
}

/** docker's old ~/.dockercfg is read and never written. */
function isWritable(file: string): boolean {
  return !file.endsWith(".dockercfg");
}

/** The keys of a file's `auths` that mean the registry. */
function entryKeys(file: string, { host, namespace }: LoginKey): readonly string[] {
  const auths = object(readAuthFile(file)?.auths);
  const wanted = namespace === "" ? hostKeys(host) : [`${host}${namespace}`];
  return wanted.filter((name) => Object.hasOwn(auths, name));
}

function newKey(file: string, { host, namespace }: LoginKey): string {
  if (!isDockerHub(host)) return `${host}${namespace}`;
  const isDockers = file.endsWith("/config.json");
  return isDockers && namespace === "" ? (hostKeys(host)[0] ?? host) : `docker.io${namespace}`;
}

interface Helper {
  readonly suffix: string;
  readonly server: string;
}

function helperFor(files: readonly string[], host: string): Helper | undefined {
  for (const file of files) {
    const document = readAuthFile(file);
    if (document === undefined) continue;
    const [helper] = helpersOf(document, hostKeys(host));
    if (helper !== undefined) return helper;
  }
  return undefined;
}

/** The helpers of one file that may know these servers; the common one is asked for the first of a host's spellings. */
function helpersOf(document: Readonly<Record<string, unknown>>, servers: readonly string[]): readonly Helper[] {
  const helpers = object(document.credHelpers);
  const own = servers.flatMap((server) => {
    const suffix = helpers[server];
    return typeof suffix === "string" ? [{ suffix, server }] : [];
  });
  const store = document.credsStore;
  const [server] = servers;
  const common = typeof store === "string" && store !== "" && server !== undefined ? [{ suffix: store, server }] : [];
  return [...own, ...common];
}

function defaultFile(env: Env): string {
  if (env.REGISTRY_AUTH_FILE) return env.REGISTRY_AUTH_FILE;
  const home = env.HOME ?? "";
  const config = env.XDG_CONFIG_HOME || (home === "" ? "" : join(home, ".config"));
  if (config !== "") return join(config, "containers/auth.json");
  throw new TscError("TSC_REGISTRY_CREDENTIALS", "there is no home folder to keep the login in", {
    kind: "invalid-input",
    hint: "set HOME, or name a file with --authfile",
  });
}

function writeAuthFile(file: string, document: Readonly<Record<string, unknown>>): void {
  const target = throughLinks(file);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const temporary = `${target}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(document, null, "\t")}\n`, { mode: 0o600, flag: "wx", flush: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `${file} cannot be written: ${errnoOf(error) ?? "unknown error"}`, {
      kind: "unavailable",
      cause: error,
    });
  }
}

/** People keep their configuration elsewhere and link to it. */
function throughLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return file;
    throw error;
  }
}
