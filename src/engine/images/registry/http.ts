/**
 * One HTTP exchange at a time over kept connections: retries, redirects that never carry credentials elsewhere, limits on
 * what is read into memory. Knows nothing of registries. node:http directly: no fetch layers on the byte path.
 */

import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { urlToHttpOptions } from "node:url";
import { isTscError, messageOf, TscError } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import { isLinkLocal, LINK_LOCAL_CODE, lookupElsewhere } from "../../../lib/link-local.js";
import { printable } from "../../../lib/printable.js";

/** One request. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function makes a fresh stream for each attempt. */
  readonly body?: Uint8Array | string | (() => NodeJS.ReadableStream);
  readonly signal?: AbortSignal | undefined;
  /** Follow redirects (GET and HEAD only), at most 10. */
  readonly followRedirects?: boolean;
  /** Attempts in all for broken connections, 429 and 5xx. Default 4. */
  readonly attempts?: number;
}

/** An answer; its body must be read or resumed. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read to its end or destroyed. */
  readonly body: IncomingMessage;
  /** After redirects. */
  readonly url: URL;
}

/** What a host's certificate is checked with, and what is shown to it. */
export interface TlsOptions {
  readonly ca?: readonly Buffer[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/** Connections that are kept; disposal closes them. */
export interface HttpClient extends Disposable {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** True when what is sent to this address is encrypted, and to whom is checked. */
  isVerified(url: URL): boolean;
}

/** No byte for this long means the peer is gone. */
const IDLE_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 10;
/** Cut off there is nothing to gain from trying again. */
const FINAL_ERRORS = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EACCES",
  "EPERM",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "HPE_INVALID_CONSTANT",
  LINK_LOCAL_CODE,
]);

/**
 * A client whose connections are kept until it is disposed. `env` gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Link-local addresses are
 * refused (`TSC_REGISTRY_LINK_LOCAL`) unless the person named that very host (`isNamed`).
 */
export function createHttpClient(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tlsFor: (host: string) => TlsOptions;
  readonly isNamed: (host: string) => boolean;
  readonly userAgent: string;
}): HttpClient {
  const agents = new Map<string, Agent>();
  const proxyEnv = Object.fromEntries(
    ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) =>
      options.env[name] === undefined ? [] : [[name, options.env[name]]],
    ),
  );
  const agentFor = async (url: URL): Promise<Agent> => {
    const key = url.protocol === "https:" ? `https:${url.host}` : "http:";
    let agent = agents.get(key);
    if (agent === undefined) {
      const settings = { keepAlive: true, maxSockets: 8, proxyEnv };
      if (url.protocol === "https:") {
        const { Agent: HttpsAgent } = await import("node:https");
        const { ca, ...tls } = options.tlsFor(url.host);
        agent = new HttpsAgent({ ...settings, ...tls, ...(ca === undefined ? {} : { ca: [...ca] }) });
      } else {
        const { Agent: HttpAgent } = await import("node:http");
        agent = new HttpAgent(settings);
      }
      agents.set(key, agent);
    }
    return agent;
  };

  const sendOnce = async (request: HttpRequest, url: URL, headers: Record<string, string>): Promise<HttpResponse> => {
    const { request: start } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
    const agent = await agentFor(url);
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const { body, signal } = request;
    const isNamed = options.isNamed(url.host);
    if (!isNamed && isLinkLocal(url.hostname)) throw linkLocal(url);
    const outgoing: ClientRequest = start({
      ...urlToHttpOptions(url),
      ...(isNamed ? {} : { lookup: lookupElsewhere }),
      method: request.method,
      agent,
      headers: {
        "user-agent": options.userAgent,
        ...headers,
        ...(typeof body === "string" || ArrayBuffer.isView(body)
          ? { "content-length": String(Buffer.byteLength(body)) }
          : {}),
      },
      ...given({ signal }),
    });
    outgoing.setTimeout(IDLE_TIMEOUT_MS, () => outgoing.destroy(new Error(`no data for ${IDLE_TIMEOUT_MS / 1000} s`)));
    const connectTimer = setTimeout(
      () => outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    );
    outgoing.on("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => clearTimeout(connectTimer));
      else clearTimeout(connectTimer);
    });
    outgoing.on("close", () => clearTimeout(connectTimer));
    outgoing.on("error", reject);
    outgoing.on("response", (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url }));
    if (typeof body === "function") {
      const source = body();
      source.on("error", (error) => outgoing.destroy(error));
      source.pipe(outgoing);
    } else outgoing.end(body);
    return promise;
  };

  const followed = async (request: HttpRequest): Promise<HttpResponse> => {
    let url = request.url;
    let headers = { ...request.headers };
    for (let hops = 0; ; hops++) {
      const response = await sendOnce(request, url, headers);
      const location = response.headers.location;
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
      if (!isRedirect || request.followRedirects !== true) return response;
      response.body.resume();
      if (hops >= MAX_REDIRECTS) throw protocolError(url, "too many redirects");
      const next = URL.parse(location, url.href);
      if (next === null || (next.protocol !== "http:" && next.protocol !== "https:")) {
        throw protocolError(url, `redirect to ${printable(location, 120)}`);
      }
      if (url.protocol === "https:" && next.protocol === "http:")
        throw protocolError(url, "redirect from https to http");
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => !["authorization", "cookie"].includes(name.toLowerCase())),
        );
      }
      next.username = "";
      next.password = "";
      url = next;
    }
  };

  return {
    isVerified: (url) => url.protocol === "https:" && options.tlsFor(url.host).rejectUnauthorized !== false,
    async send(request) {
      const attempts = request.attempts ?? 4;
      for (let attempt = 1; ; attempt++) {
        request.signal?.throwIfAborted();
        let wait = 250 * 2 ** attempt * (0.75 + Math.random() / 2);
        try {
          const response = await followed(request);
          const isTransient = response.status === 429 || (response.status >= 500 && response.status !== 501);
          if (!isTransient || attempt >= attempts) return response;
          const seconds = Number(response.headers["retry-after"]);
          if (Number.isFinite(seconds) && seconds >= 0) wait = Math.min(seconds, 60) * 1000;
          response.body.resume();
        } catch (error) {
          if (request.signal?.aborted === true || isFinal(error) || attempt >= attempts) {
            throw connectionError(request, error);
          }
        }
        await pause(wait, request.signal);
      }
    },
    [Symbol.dispose]() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

/** Reads a body of at most `limit` bytes; `TSC_REGISTRY_TOO_LARGE` beyond. */
export async function readBody(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) {
        throw new TscError("TSC_REGISTRY_TOO_LARGE", `${response.url.host}: answer is larger than ${limit} bytes`, {
          kind: "denied",
        });
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (isTscError(error)) throw error;
    throw unreachable(response.url, error);
  }
  return Buffer.concat(chunks);
}

/** `TSC_REGISTRY_PROTOCOL`: the peer does not behave. */
export function protocolError(url: URL, reason: string): TscError {
  return new TscError("TSC_REGISTRY_PROTOCOL", `${url.host}: ${reason}`, { kind: "unavailable" });
}

function linkLocal(url: URL): TscError {
  return new TscError("TSC_REGISTRY_LINK_LOCAL", `${url.host} is a link-local address`, {
    kind: "denied",
    hint: "no registry may lead there; name it yourself if it is one",
  });
}

/** `TSC_REGISTRY_UNREACHABLE` or `TSC_REGISTRY_TLS` for a broken connection. */
export function unreachable(url: URL, error: unknown): TscError {
  const code = codeOf(error);
  if (code === LINK_LOCAL_CODE) return linkLocal(url);
  const reason = describe(error);
  if (/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ERR_TLS/.test(code)) {
    return new TscError("TSC_REGISTRY_TLS", `${url.host}: certificate is not trusted: ${reason}`, {
      kind: "denied",
      cause: error,
      hint: `put its CA in /etc/containers/certs.d/${url.host}/ca.crt, or mark the registry insecure in registries.conf`,
    });
  }
  return new TscError("TSC_REGISTRY_UNREACHABLE", `${url.host}: ${reason}`, { kind: "unavailable", cause: error });
}

function connectionError(request: HttpRequest, error: unknown): unknown {
  if (request.signal?.aborted === true) return request.signal.reason;
  return isTscError(error) ? error : unreachable(request.url, error);
}

function isFinal(error: unknown): boolean {
  return isTscError(error) || FINAL_ERRORS.has(codeOf(error));
}

/** The error code of a Node error; an AggregateError (several addresses tried) gives its first. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if ("errors" in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return "";
}

function describe(error: unknown): string {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "no such host";
  if (code === "ECONNRESET" || code === "EPIPE") return "connection reset by the registry";
  return printable(messageOf(error)) || code || "connection failed";
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal });
}
