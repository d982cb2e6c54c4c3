/** A repository opened by reference, with mirrors, credentials and TLS applied. */
import { isTscError, TscError } from "../../../lib/errors.js";
import type { EngineContext } from "../../context.js";
import { familiarName, fullName, type Reference } from "../reference.js";
import { type Credentials, findCredentials } from "./credentials.js";
import { type Endpoint, endpointsFor, loadRegistriesConfig, type RegistriesConfig, tlsFilesFor } from "./endpoints.js";
import { createHttpClient, type HttpClient } from "./http.js";
import type { Repository } from "./repository.js";
import { openSession, type RegistrySession } from "./session.js";

/** All registry traffic of one engine: connections and tokens are shared. */
export interface Registries extends Disposable {
  config(): Promise<RegistriesConfig>;
  /** Runs `work` on each mirror, then on the registry itself, until one succeeds; the last error otherwise. */
  withRepository<T>(reference: Reference, work: (repository: Repository) => Promise<T>): Promise<T>;
  /** The repository to push to. */
  forPush(reference: Reference): Promise<Repository>;
  /** Whether the registry takes these credentials. `insecure`: plain http or an unchecked certificate is fine. Errors: those of the way there. */
  accepts(reference: Reference, credentials: Credentials, options: { readonly insecure: boolean }): Promise<boolean>;
}

/** Nothing is read or sent before the first use. */
export function openRegistries(ctx: EngineContext): Registries {
  let config: Promise<RegistriesConfig> | undefined;
  let http: HttpClient | undefined;
  const sessions = new Map<string, RegistrySession>();
  const insecureHosts = new Set<string>();
  const namedHosts = new Set<string>();
  const getConfig = () => {
    config ??= loadRegistriesConfig(ctx.env);
    return config;
  };
  const getHttp = () => {
    http ??= createHttpClient({
      env: ctx.env,
      userAgent: "tscompose",
      isNamed: (host) => namedHosts.has(host),
      tlsFor: (host) => ({
        ...tlsFilesFor(ctx.env, host),
        ...(insecureHosts.has(host) ? { rejectUnauthorized: false } : {}),
      }),
    });
    return http;
  };
  const note = (endpoint: Endpoint): void => {
    for (const scheme of ["http", "https"]) namedHosts.add(new URL(`${scheme}://${endpoint.host}`).host);
    if (endpoint.insecure) insecureHosts.add(new URL(`https://${endpoint.host}`).host);
  };
  const itself = async (reference: Reference): Promise<Endpoint> => {
    const endpoint = endpointsFor(await getConfig(), reference, true)[0];
    if (endpoint === undefined) throw new TscError("TSC_REGISTRY_CONFIG", `no registry for ${fullName(reference)}`);
    return endpoint;
  };
  const open = (endpoint: Endpoint, reference: Reference): Repository => {
    note(endpoint);
    // credentials may differ per repository, so sessions do as well
    const key = `${endpoint.host}/${endpoint.path} ${endpoint.insecure}`;
    let session = sessions.get(key);
    if (session === undefined) {
      const credentials = (): Promise<Credentials | undefined> =>
        findCredentials(ctx.env, endpoint.host, endpoint.path);
      session = openSession(getHttp(), endpoint, credentials);
      sessions.set(key, session);
    }
    return { session, http: getHttp(), path: endpoint.path, image: familiarName(fullName(reference)) };
  };
  return {
    config: getConfig,
    async withRepository(reference, work) {
      const endpoints = endpointsFor(await getConfig(), reference, false);
      let failure: unknown;
      for (const endpoint of endpoints) {
        try {
          return await work(open(endpoint, reference));
        } catch (error) {
          if (!isTscError(error)) throw error;
          if (endpoint.mirror) ctx.warn(`mirror ${endpoint.host}: ${error.message}`);
          failure = error;
        }
      }
      throw failure;
    },
    async forPush(reference) {
      return open(await itself(reference), reference);
    },
    async accepts(reference, credentials, { insecure }) {
      const known = await itself(reference);
      const endpoint = { ...known, insecure: known.insecure || insecure };
      note(endpoint);
      const session = openSession(getHttp(), endpoint, async () => credentials);
      const response = await session.send({ method: "GET", url: "/v2/", scopes: [] });
      response.body.resume();
      if (response.status === 200) return true;
      if (response.status === 401 || response.status === 403) return false;
      throw new TscError("TSC_REGISTRY_PROTOCOL", `${endpoint.host}: answered ${response.status} to the login`, {
        kind: "unavailable",
      });
    },
    [Symbol.dispose]() {
      http?.[Symbol.dispose]();
      http = undefined;
      sessions.clear();
    },
  };
}
