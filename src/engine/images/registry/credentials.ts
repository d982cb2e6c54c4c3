/**
 * Registry credentials: containers-auth.json(5), docker's config.json and credential helpers. Looked up per registry; never
 * logged. login.ts writes them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import { isUnknownToHelper, runHelper } from "./helper.js";

/** Who somebody is to a registry. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "identity-token"; readonly username: string; readonly token: string }
  | { readonly kind: "bearer"; readonly token: string };

type Env = Readonly<Record<string, string | undefined>>;
type Json = Readonly<Record<string, unknown>>;

const DOCKER_HUB_KEYS = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"];

/** Files that may hold credentials, the first that knows a registry wins. */
export function authFiles(env: Env): string[] {
  const files: string[] = [];
  if (env.REGISTRY_AUTH_FILE) files.push(env.REGISTRY_AUTH_FILE);
  if (env.XDG_RUNTIME_DIR) files.push(join(env.XDG_RUNTIME_DIR, "containers/auth.json"));
  else files.push(`/run/containers/${env.TSCOMPOSE_HOST_UID ?? process.getuid?.() ?? 0}/auth.json`);
  const home = env.HOME ?? "";
  if (home !== "") files.push(join(env.XDG_CONFIG_HOME || join(home, ".config"), "containers/auth.json"));
  if (env.DOCKER_CONFIG) files.push(join(env.DOCKER_CONFIG, "config.json"));
  else if (home !== "") files.push(join(home, ".docker/config.json"));
  if (home !== "") files.push(join(home, ".dockercfg"));
  return files;
}

/** What is known for `host` and repository `path`; undefined for anonymous. `TSC_REGISTRY_CREDENTIALS` for a broken file or helper. */
export async function findCredentials(env: Env, host: string, path: string): Promise<Credentials | undefined> {
  for (const file of authFiles(env)) {
    const document = readAuthFile(file);
    if (document === undefined) continue;
    const isHub = isDockerHub(host);
    const hosts = hostKeys(host);
    const helpers = object(document.credHelpers);
    const helperHost = hosts.find((name) => typeof helpers[name] === "string");
    if (helperHost !== undefined) {
      const found = await askHelper(env, String(helpers[helperHost]), helperHost);
      if (found !== undefined) return found;
    }
    const auths = object(file.endsWith(".dockercfg") ? document : document.auths);
    for (const key of [...namespaceKeys(isHub ? "docker.io" : host, path), ...hosts]) {
      const found = readEntry(auths[key], file);
      if (found !== undefined) return found;
    }
    const store = document.credsStore;
    if (typeof store === "string" && store !== "") {
      const found = await askHelper(env, store, isHub ? (DOCKER_HUB_KEYS[0] ?? host) : host);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Whether a host is one of the Docker Hub's. */
export function isDockerHub(host: string): boolean {
  return DOCKER_HUB_KEYS.includes(host);
}

/** The spellings under which files know a host, docker's own first for its hub. */
export function hostKeys(host: string): readonly string[] {
  if (isDockerHub(host)) return DOCKER_HUB_KEYS;
  return [host, `https://${host}`, `https://${host}/v1/`, `https://${host}/v2/`, `http://${host}`];
}

/** `host/ns/user/image`, `host/ns/user`, `host/ns`. */
function namespaceKeys(host: string, path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => `${host}/${parts.slice(0, parts.length - i).join("/")}`);
}

/** The value if it is an object, else an empty one. */
export function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** A file's JSON; undefined when there is none that we may read. `TSC_REGISTRY_CREDENTIALS` for a broken one. */
export function readAuthFile(file: string): Json | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
  try {
    return object(JSON.parse(text));
  } catch {
    // the parser's message would quote the file, which holds secrets
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `${file} is not valid JSON`, { kind: "invalid-input" });
  }
}

/** What an entry of `auths` says. */
export function readEntry(value: unknown, file: string): Credentials | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entry = value as Json;
  const text = (field: unknown) => (typeof field === "string" ? field : "");
  if (text(entry.registrytoken) !== "") return { kind: "bearer", token: text(entry.registrytoken) };
  let username = text(entry.username);
  let password = text(entry.password);
  if (text(entry.auth) !== "") {
    const decoded = Buffer.from(text(entry.auth), "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 0)
      throw new TscError("TSC_REGISTRY_CREDENTIALS", `${file}: an auth entry is not user:password`, {
        kind: "invalid-input",
      });
    username = decoded.slice(0, colon);
    password = decoded.slice(colon + 1);
  }
  if (text(entry.identitytoken) !== "") return { kind: "identity-token", username, token: text(entry.identitytoken) };
  return username === "" && password === "" ? undefined : { kind: "password", username, password };
}

/** docker-credential-helpers protocol: `get`, the server on stdin, JSON on stdout. */
async function askHelper(env: Env, suffix: string, server: string): Promise<Credentials | undefined> {
  const { program, code, output } = await runHelper(env, suffix, "get", server);
  if (code === 0) {
    try {
      const { Username, Secret } = object(JSON.parse(output));
      if (typeof Secret === "string" && typeof Username === "string") {
        return Username === "<token>"
          ? { kind: "identity-token", username: "", token: Secret }
          : { kind: "password", username: Username, password: Secret };
      }
    } catch {
      // falls through to the error below, which quotes nothing of the answer
    }
    throw new TscError("TSC_REGISTRY_CREDENTIALS", `${program} gave no credentials for ${server}`, {
      kind: "unavailable",
    });
  }
  if (isUnknownToHelper(output)) return undefined;
  throw new TscError("TSC_REGISTRY_CREDENTIALS", `${program} failed for ${server}: ${printable(output, 200)}`, {
    kind: "unavailable",
  });
}
