/** Turns a registry's error answers into errors worded as docker users know them. Pure apart from reading the body. */
import { TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import { type HttpResponse, readBody } from "./http.js";

const ERROR_BODY_LIMIT = 1024 * 1024;

/** What was asked for, for the message. */
export interface Subject {
  readonly action: "pull" | "push";
  /** Familiar name with tag or digest. */
  readonly image: string;
  readonly what: "manifest" | "blob" | "upload";
}

/** Docker's words, which name no tag: a registry that hides private repositories answers for them as for those that are not there. */
function accessDenied({ action, image }: Pick<Subject, "action" | "image">): string {
  const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return `${action} access denied for ${name}, repository does not exist or may require a login`;
}

/** The registry has no repository of that name, or shows none to us. */
export function repositoryUnknown(subject: Pick<Subject, "action" | "image">, host: string): TscError {
  return new TscError("TSC_REGISTRY_MANIFEST_UNKNOWN", accessDenied(subject), {
    kind: "not-found",
    hint: `check the name; when it is private, 'tscompose login ${host}' logs in`,
  });
}

/** Reads the body and gives the error to throw. Codes: TSC_REGISTRY_DENIED, …_UNAUTHORIZED, …_MANIFEST_UNKNOWN, …_BLOB_UNKNOWN, …_TOO_MANY_REQUESTS, …_UNAVAILABLE, …_PROTOCOL. */
export async function registryError(response: HttpResponse, subject: Subject): Promise<TscError> {
  const { status } = response;
  const host = response.url.host;
  let code = "";
  let message = "";
  try {
    const body = await readBody(response, ERROR_BODY_LIMIT);
    const first = (JSON.parse(body.toString("utf8")) as { errors?: { code?: unknown; message?: unknown }[] })
      .errors?.[0];
    code = printable(String(first?.code ?? ""), 60);
    message = printable(String(first?.message ?? ""), 300);
  } catch {
    // no JSON body: the status alone must do
  }
  const reason = [code.toLowerCase().replaceAll("_", " "), message].filter((part) => part !== "").join(": ");
  const denied = accessDenied(subject);
  if (status === 401) {
    return new TscError("TSC_REGISTRY_UNAUTHORIZED", `${denied}: ${reason || "unauthorized"}`, {
      kind: "denied",
      hint: `'tscompose login ${host}' logs in (logins of docker and podman are read as well)`,
    });
  }
  if (status === 403)
    return new TscError("TSC_REGISTRY_DENIED", `${denied}: ${reason || "denied"}`, { kind: "denied" });
  if (status === 404 && code === "NAME_UNKNOWN") {
    return repositoryUnknown(subject, host);
  }
  if (status === 404 && subject.what === "manifest") {
    return new TscError(
      "TSC_REGISTRY_MANIFEST_UNKNOWN",
      `manifest for ${subject.image} not found: ${reason || "manifest unknown"}`,
      {
        kind: "not-found",
        hint: "check the name and the tag",
      },
    );
  }
  if (status === 404) {
    return new TscError("TSC_REGISTRY_BLOB_UNKNOWN", `${subject.image}: ${reason || "blob unknown"}`, {
      kind: "not-found",
    });
  }
  if (status === 429) {
    return new TscError(
      "TSC_REGISTRY_TOO_MANY_REQUESTS",
      `${host}: toomanyrequests: ${message || "rate limit reached"}`,
      {
        kind: "unavailable",
        hint: `log in ('tscompose login ${host}'), use a mirror, or wait`,
      },
    );
  }
  if (status >= 500) {
    return new TscError(
      "TSC_REGISTRY_UNAVAILABLE",
      `${host}: answered ${status}${reason === "" ? "" : `: ${reason}`}`,
      { kind: "unavailable" },
    );
  }
  return new TscError(
    "TSC_REGISTRY_PROTOCOL",
    `${host}: ${subject.action} of ${subject.image}: answered ${status}${reason === "" ? "" : `: ${reason}`}`,
    {
      kind: "unavailable",
    },
  );
}
