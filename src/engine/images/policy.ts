/**
 * containers-policy.json(5), as far as it can be kept: `insecureAcceptAnything` and `reject`. Signed kinds are refused, because
 * nothing here checks signatures. Without a policy file everything is accepted.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import { fullName, type Reference, withDefaultTag } from "./reference.js";

type Env = Readonly<Record<string, string | undefined>>;
type Json = Readonly<Record<string, unknown>>;

/** `TSC_IMAGE_POLICY` when the person's or the machine's policy does not allow pulling this name. */
export function checkPolicy(env: Env, reference: Reference): void {
  const found = readPolicy(env);
  if (found === undefined) return;
  const { file, document } = found;
  const scopes = object(object(document.transports).docker);
  const scope = scopesOf(reference).find((name) => scopes[name] !== undefined);
  const requirements = scope === undefined ? document.default : scopes[scope];
  const rule = scope === undefined ? "default" : scope === "" ? 'docker ""' : scope;
  const refuse = (why: string) =>
    new TscError("TSC_IMAGE_POLICY", `image ${fullName(reference)} is not allowed by ${file} (${rule}): ${why}`, {
      kind: "denied",
    });
  if (!Array.isArray(requirements) || requirements.length === 0) throw refuse("no valid requirement");
  for (const requirement of requirements) {
    const { type } = object(requirement);
    if (type === "insecureAcceptAnything") continue;
    throw refuse(type === "reject" ? "it is rejected" : "signatures cannot be verified by tscompose");
  }
}

/** Most specific first: `host/ns/repo:tag`, `host/ns/repo`, `host/ns`, `host`, `*.domain`, "". */
function scopesOf(reference: Reference): string[] {
  const full = withDefaultTag(reference);
  const scopes = [fullName(full), `${full.domain}/${full.path}`];
  const parts = full.path.split("/");
  for (let i = parts.length - 1; i > 0; i--) scopes.push(`${full.domain}/${parts.slice(0, i).join("/")}`);
  scopes.push(full.domain);
  const labels = full.domain.split(".");
  for (let i = 1; i < labels.length; i++) scopes.push(`*.${labels.slice(i).join(".")}`);
  scopes.push("");
  return scopes;
}

function readPolicy(env: Env): { file: string; document: Json } | undefined {
  const files = ["/etc/containers/policy.json"];
  if (env.HOME !== undefined && env.HOME !== "") files.unshift(join(env.HOME, ".config/containers/policy.json"));
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") continue;
      throw error;
    }
    try {
      return { file, document: object(JSON.parse(text)) };
    } catch {
      throw new TscError("TSC_IMAGE_POLICY", `${file} is not valid JSON`, { kind: "invalid-input" });
    }
  }
  return undefined;
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
