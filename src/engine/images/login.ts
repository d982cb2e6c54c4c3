/** `login` and `logout`: checked with the registry, kept where credentials are looked for. */
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { LoginsApi } from "../api.js";
import type { EngineContext } from "../context.js";
import { parseReference, type Reference } from "./reference.js";
import { findCredentials } from "./registry/credentials.js";
import type { Registries } from "./registry/index.js";
import { eraseLogin, knownLogins, type LoginKey, loginIn, storeLogin } from "./registry/login.js";

/** The logins of an engine's person. */
export function openLogins(ctx: EngineContext, registries: () => Promise<Registries>): LoginsApi {
  const { env } = ctx;
  return {
    async login({ registry, username, password, authFile, insecure }) {
      const { key, reference } = target(registry);
      const open = await registries();
      const credentials = { kind: "password", username, password } as const;
      if (!(await open.accepts(reference, credentials, { insecure: insecure ?? false }))) throw refused(registry);
      return await storeLogin(env, key, { username, password }, authFile);
    },
    async existing({ registry, authFile, insecure }) {
      const { key, reference } = target(registry);
      if (authFile !== undefined) return loginIn(authFile, key)?.username;
      const found = await findCredentials(env, key.host, key.namespace.slice(1));
      if (found === undefined || found.kind === "bearer") return undefined;
      const isGood = await (await registries()).accepts(reference, found, { insecure: insecure ?? false });
      return isGood ? found.username : undefined;
    },
    async userOf({ registry, authFile }) {
      const { key } = target(registry);
      if (authFile !== undefined) return loginIn(authFile, key)?.username;
      const found = await findCredentials(env, key.host, key.namespace.slice(1));
      return found === undefined || found.kind === "bearer" ? undefined : found.username;
    },
    logout: async ({ registry, authFile }) =>
      eraseLogin(env, registry === undefined ? undefined : target(registry).key, authFile),
    known: async (authFile) => knownLogins(env, authFile),
  };
}

/** `https://host:5000/v2/`, `host:5000`, `host/namespace`; docker's hub for "" and its other names. `TSC_REGISTRY_NAME`. */
function target(registry: string): { readonly key: LoginKey; readonly reference: Reference } {
  const plain = registry.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
  const slash = plain.indexOf("/");
  const host = slash < 0 ? plain : plain.slice(0, slash);
  const namespace = slash < 0 ? "" : plain.slice(slash);
  // a host without a dot or a port is one here: nothing else can be meant
  const isShort = host !== "" && !/[.:]/.test(host);
  try {
    const parsed = parseReference(`${isShort ? `${host}.invalid` : host || "docker.io"}${namespace}/login`);
    const domain = isShort ? host : parsed.domain;
    return {
      key: { host: domain, namespace },
      reference: { domain, path: `${namespace.slice(1)}/login`.replace(/^\//, "") },
    };
  } catch (error) {
    throw new TscError("TSC_REGISTRY_NAME", `"${printable(registry, 200)}" is not the name of a registry`, {
      kind: "invalid-input",
      hint: "write a host, as in registry.example.com or localhost:5000",
      cause: error,
    });
  }
}

function refused(registry: string): TscError {
  return new TscError("TSC_REGISTRY_UNAUTHORIZED", `login to ${registry} failed: incorrect username or password`, {
    kind: "denied",
  });
}
