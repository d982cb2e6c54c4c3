/** Downloads that are no image's. */
import type { EngineContext } from "../context.js";
import type { HttpClient } from "./registry/http.js";

/** A client for what a build downloads: no credentials, certificates of the system, the same rules for redirects. */
export async function openDownloads(env: EngineContext["env"]): Promise<HttpClient> {
  const { createHttpClient } = await import("./registry/http.js");
  return createHttpClient({ env, userAgent: "tscompose", tlsFor: () => ({}), isNamed: () => false });
}
