/**
 * Authorised requests to one registry server: http or https, Basic, and the Bearer token flow (distribution spec, token
 * authentication). Where credentials go (CVE-2020-15157 is what happens otherwise):
 * - Authorization goes to the registry's own origin (scheme, host and port), and no redirect or upload location carries it elsewhere;
 * - a challenge counts only when that origin gives it: whoever it leads to may ask, and is told nothing;
 * - a token server that the registry names gets them over https with a certificate that is checked; over plain http, or without a
 *   check, only when the registry is insecure and the token server has the same host name (docker, stricter for insecure ones).
 */

import { TscError } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import { printable } from "../../../lib/printable.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Credentials } from "./credentials.js";
import type { Endpoint } from "./endpoints.js";
import { codeOf, type HttpClient, type HttpRequest, type HttpResponse, protocolError, readBody } from "./http.js";

const TOKEN_LIMIT = 1024 * 1024;
/** Tokens are renewed this much before they run out. */
const TOKEN_MARGIN_MS = 10_000;

interface RegistryRequest extends Omit<HttpRequest, "url"> {
  /** Below the server, `/v2/NAME/…`, or an upload location on whatever host. */
  readonly url: string | URL;
  /** `repository:NAME:pull` …; several for a cross-repository mount. */
  readonly scopes: readonly string[];
}

/** One server's session; connections and tokens are shared by all requests. */
export interface RegistrySession {
  readonly host: string;
  /** Sends with authorisation, answering one challenge. 401 comes back when credentials do not help. */
  send(request: RegistryRequest): Promise<HttpResponse>;
}

/** Opens a session; nothing is sent yet. `credentials` is asked at most once. */
export function openSession(
  http: HttpClient,
  endpoint: Endpoint,
  credentials: () => Promise<Credentials | undefined>,
): RegistrySession {
  let base: Promise<URL> | undefined;
  let known: Promise<Credentials | undefined> | undefined;
  let basic: string | undefined;
  let lastChallenge: Challenge | undefined;
  const tokens = new Map<string, { token: string; expiresAt: number }>();
  const findCredentials = () => {
    known ??= credentials();
    return known;
  };

  const authorization = (scopes: readonly string[]): string | undefined => {
    if (basic !== undefined) return basic;
    const held = tokens.get(scopeKey(scopes));
    return held !== undefined && held.expiresAt > Date.now() ? `Bearer ${held.token}` : undefined;
  };

  const answer = async (
    challenge: Challenge,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> => {
    lastChallenge = challenge;
    const found = await findCredentials();
    if (challenge.scheme === "basic") {
      if (found?.kind !== "password" || basic !== undefined) return false;
      basic = basicHeader(found.username, found.password);
      return true;
    }
    if (found?.kind === "bearer") {
      tokens.set(scopeKey(scopes), { token: found.token, expiresAt: Number.POSITIVE_INFINITY });
      return true;
    }
    const token = await fetchToken(challenge, scopes, found, signal);
    tokens.set(scopeKey(scopes), token);
    return true;
  };

  const fetchToken = async (
    challenge: Challenge,
    scopes: readonly string[],
    found: Credentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ token: string; expiresAt: number }> => {
    const realm = URL.parse(challenge.parameters.realm ?? "");
    const server = new URL(`https://${endpoint.host}`);
    if (realm === null || (realm.protocol !== "https:" && realm.protocol !== "http:")) {
      throw protocolError(
        server,
        `token realm "${printable(challenge.parameters.realm ?? "", 120)}" is not an http address`,
      );
    }
    const isOwnHost = endpoint.insecure && realm.hostname === server.hostname;
    if (found !== undefined && !isOwnHost && !http.isVerified(realm)) {
      throw new TscError(
        "TSC_REGISTRY_INSECURE_REALM",
        `${endpoint.host} wants its credentials sent ${realm.protocol === "http:" ? "over plain http" : "without a checked certificate"} to ${realm.host}`,
        {
          kind: "denied",
          hint: "a token server needs https, or the host name of a registry that registries.conf marks insecure",
        },
      );
    }
    realm.username = "";
    realm.password = "";
    const service = challenge.parameters.service ?? "";
    const wanted = [...new Set([...scopes, ...(challenge.parameters.scope ?? "").split(" ")])].filter(
      (scope) => scope !== "",
    );
    let response: HttpResponse;
    if (found?.kind === "identity-token") {
      const form = new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: found.token,
        service,
        client_id: "tscompose",
        scope: wanted.join(" "),
      });
      response = await http.send({
        method: "POST",
        url: realm,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form.toString(),
        signal,
      });
    } else {
      if (service !== "") realm.searchParams.set("service", service);
      for (const scope of wanted) realm.searchParams.append("scope", scope);
      const headers: Record<string, string> = {};
      if (found?.kind === "password") {
        realm.searchParams.set("account", found.username);
        headers.authorization = basicHeader(found.username, found.password);
      }
      response = await http.send({ method: "GET", url: realm, headers, followRedirects: true, signal });
    }
    const body = await readBody(response, TOKEN_LIMIT);
    if (response.status !== 200) throw tokenRefused(endpoint.host, response.status, body, found !== undefined);
    let answerJson: Record<string, unknown>;
    try {
      answerJson = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
    } catch {
      throw protocolError(realm, "token answer is not JSON");
    }
    const token = answerJson.token ?? answerJson.access_token;
    if (typeof token !== "string" || token === "" || /[^\x21-\x7e]/.test(token))
      throw protocolError(realm, "answer has no token");
    const seconds = typeof answerJson.expires_in === "number" && answerJson.expires_in > 0 ? answerJson.expires_in : 60;
    return { token, expiresAt: Date.now() + Math.max(seconds * 1000 - TOKEN_MARGIN_MS, 1000) };
  };

  const sendTo = (url: URL, request: RegistryRequest, home: URL): Promise<HttpResponse> => {
    const header = url.origin === home.origin ? authorization(request.scopes) : undefined;
    return http.send({
      ...request,
      url,
      headers: { ...request.headers, ...given({ authorization: header }) },
    });
  };

  /** Some registries challenge only on the ping. */
  const ping = async (home: URL, signal: AbortSignal | undefined): Promise<Challenge | undefined> => {
    const response = await http.send({ method: "GET", url: new URL("/v2/", home), signal });
    response.body.resume();
    return chooseChallenge(response);
  };

  return {
    host: endpoint.host,
    async send(request) {
      base ??= findBase(http, endpoint, request.signal);
      const home = await base.catch((error) => {
        base = undefined;
        throw error;
      });
      const url = new URL(request.url, home);
      const first = await sendTo(url, request, home);
      if (first.status !== 401) return first;
      if (first.url.origin !== home.origin) throw foreignChallenge(first, endpoint.host);
      const challenge = chooseChallenge(first) ?? lastChallenge ?? (await ping(home, request.signal));
      if (challenge === undefined) return first;
      tokens.delete(scopeKey(request.scopes));
      if (!(await answer(challenge, request.scopes, request.signal))) return first;
      first.body.resume();
      const second = await sendTo(url, request, home);
      if (second.status === 401 && second.url.origin !== home.origin) throw foreignChallenge(second, endpoint.host);
      return second;
    },
  };
}

/** A server that the registry leads to wants to know who we are. */
function foreignChallenge(response: HttpResponse, registry: string): TscError {
  response.body.destroy();
  return new TscError(
    "TSC_REGISTRY_FOREIGN_CHALLENGE",
    `${registry} leads to ${response.url.host}, which asks for credentials; it gets none`,
    { kind: "denied", hint: "the registry's storage or redirect is set up wrongly, or it cannot be trusted" },
  );
}

function scopeKey(scopes: readonly string[]): string {
  return [...scopes].sort().join(" ");
}

function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

/** Bearer before Basic: a registry offering both wants tokens. */
function chooseChallenge(response: HttpResponse): Challenge | undefined {
  const challenges = parseChallenges(String(response.headers["www-authenticate"] ?? ""));
  return (
    challenges.find((one) => one.scheme === "bearer" && one.parameters.realm !== undefined) ??
    challenges.find((one) => one.scheme === "basic")
  );
}

/** https, unless the registry is insecure: then whatever it speaks, plain http first as that is why it is called so. */
async function findBase(http: HttpClient, endpoint: Endpoint, signal: AbortSignal | undefined): Promise<URL> {
  const secure = new URL(`https://${endpoint.host}`);
  if (!endpoint.insecure) return secure;
  const plain = new URL(`http://${endpoint.host}`);
  try {
    const response = await http.send({ method: "GET", url: new URL("/v2/", plain), attempts: 1, signal });
    const start = response.status === 400 ? (await readBody(response, TOKEN_LIMIT)).toString("latin1") : "";
    response.body.resume();
    // what Go's server answers when it is spoken to in plain http
    return /HTTP request to an HTTPS server/i.test(start) ? secure : plain;
  } catch (error) {
    const code = typeof error === "object" && error !== null && "cause" in error ? codeOf(error.cause) : "";
    if (code === "ECONNRESET" || code === "EPIPE" || code.startsWith("HPE_")) return secure;
    throw error;
  }
}

function tokenRefused(host: string, status: number, body: Buffer, hadCredentials: boolean): TscError {
  let reason = "";
  try {
    const raw = JSON.parse(body.toString("utf8")) as {
      details?: unknown;
      message?: unknown;
      errors?: { message?: unknown }[];
    };
    reason = printable(String(raw.details ?? raw.errors?.[0]?.message ?? raw.message ?? ""), 200);
  } catch {
    // an HTML page says nothing worth quoting
  }
  if (status === 401 || status === 403) {
    return new TscError(
      "TSC_REGISTRY_UNAUTHORIZED",
      `${host}: unauthorized: ${reason || "incorrect username or password"}`,
      {
        kind: "denied",
        hint: `${hadCredentials ? "log in again" : "log in first"}: 'tscompose login ${host}'`,
      },
    );
  }
  if (status === 429)
    return new TscError("TSC_REGISTRY_TOO_MANY_REQUESTS", `${host}: toomanyrequests: ${reason}`, {
      kind: "unavailable",
    });
  return new TscError(
    "TSC_REGISTRY_PROTOCOL",
    `${host}: token server answered ${status}${reason === "" ? "" : `: ${reason}`}`,
    { kind: "unavailable" },
  );
}
