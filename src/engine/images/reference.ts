/** Image references: `[domain/]path[:tag][@digest]` (distribution/reference grammar, docker.io defaults). Pure. */

import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { printable } from "../../lib/printable.js";

/** A normalised reference. At least one of `tag` and `digest` may be missing until `withDefaultTag`. */
export interface Reference {
  /** Registry as written, `docker.io` when none was; may carry a port. */
  readonly domain: string;
  /** Repository path below the registry, `library/redis`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

const DEFAULT_DOMAIN = "docker.io";
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function invalid(text: string, reason: string): TscError {
  return new TscError("TSC_IMAGE_REFERENCE_INVALID", `image "${printable(text, 300)}": ${reason}`, {
    kind: "invalid-input",
    hint: "write [registry/]name[:tag][@sha256:digest]",
  });
}

/**
 * Parses what a person or a compose file wrote; docker.io and `library/` are filled in, the tag is not.
 * `TSC_IMAGE_REFERENCE_INVALID` otherwise.
 */
export function parseReference(text: string): Reference {
  if (text === "" || text.length > 1024) throw invalid(text, "invalid reference format");
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, "invalid repository name, cannot specify 64-byte hexadecimal strings");
  }
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf("@");
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!DIGEST.test(digest)) throw invalid(text, "invalid digest, want sha256 and 64 hexadecimal digits");
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(":");
  if (colon >= 0 && !rest.slice(colon).includes("/")) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw invalid(text, "invalid reference format: bad tag");
  }
  const slash = rest.indexOf("/");
  const first = slash < 0 ? "" : rest.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  let domain = hasDomain ? first : DEFAULT_DOMAIN;
  let path = hasDomain ? rest.slice(slash + 1) : rest;
  if (domain === "index.docker.io" || domain === "registry-1.docker.io") domain = DEFAULT_DOMAIN;
  if (!DOMAIN.test(domain)) throw invalid(text, "invalid reference format: bad registry name");
  if (domain === DEFAULT_DOMAIN && !path.includes("/")) path = `library/${path}`;
  if (path !== path.toLowerCase()) {
    throw invalid(text, `invalid reference format: repository name (${printable(path, 200)}) must be lowercase`);
  }
  if (!path.split("/").every((component) => PATH_COMPONENT.test(component))) {
    throw invalid(text, "invalid reference format");
  }
  if (domain.length + 1 + path.length > 255)
    throw invalid(text, "repository name must not be more than 255 characters");
  return { domain, path, ...given({ tag, digest }) };
}

/** The reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** `domain/path`, never with tag or digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full name under which the image is stored: the digest wins over the tag. */
export function fullName(reference: Reference): string {
  const { tag, digest } = withDefaultTag(reference);
  return digest === undefined ? `${repositoryName(reference)}:${tag}` : `${repositoryName(reference)}@${digest}`;
}

/** What to show people: `redis:7` for `docker.io/library/redis:7`. Accepts any full name. */
export function familiarName(name: string): string {
  if (!name.startsWith(`${DEFAULT_DOMAIN}/`)) return name;
  const path = name.slice(DEFAULT_DOMAIN.length + 1);
  if (!path.startsWith("library/")) return path;
  const short = path.slice("library/".length);
  // `docker.io/library/a/b` must keep its prefix, or it would read as another repository
  return short.includes("/") ? path : short;
}
