/** Secrets and configs of a service as files the engine writes. Pure: reads no file. */
import { isAbsolute, posix } from "node:path";
import type { FileObject, FileReference, Project, Service } from "../../compose/model.js";
import type { FileInjection } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { inlineContent } from "../hash.js";
import { invalid } from "./service-error.js";

/** TSC_SECRET_EXTERNAL for external objects, TSC_ENVIRONMENT_UNSET for a variable that is not set. */
export function fileInjections(project: Project, service: string, config: Service): FileInjection[] {
  return [
    ...(config.configs ?? []).map((reference) => injection(project, service, "config", reference)),
    ...(config.secrets ?? []).map((reference) => injection(project, service, "secret", reference)),
  ];
}

function injection(
  project: Project,
  service: string,
  kind: "config" | "secret",
  reference: FileReference,
): FileInjection {
  const source = reference.source ?? "";
  const object = (kind === "config" ? project.configs : project.secrets)[source];
  if (object === undefined) {
    throw new TscError("TSC_SERVICE_INVALID", `service "${service}" refers to undefined ${kind} ${source}`, {
      kind: "invalid-input",
    });
  }
  return {
    target: targetPath(kind, source, reference.target),
    ...content(project, kind, source, object),
    ...given({
      uid: id(service, kind, "uid", reference.uid),
      gid: id(service, kind, "gid", reference.gid),
      mode: mode(service, kind, reference.mode),
    }),
  };
}

function targetPath(kind: "config" | "secret", source: string, target: string | undefined): string {
  const base = kind === "secret" ? "/run/secrets" : "/";
  if (target === undefined || target === "") return posix.join(base, source);
  return isAbsolute(target) ? target : posix.join(base, target);
}

function content(
  project: Project,
  kind: "config" | "secret",
  source: string,
  object: FileObject,
): Pick<FileInjection, "content" | "sourcePath"> {
  if (object.external === true) {
    throw new TscError("TSC_SECRET_EXTERNAL", `unsupported external ${kind} ${source}`, {
      kind: "unsupported",
      hint: `give the ${kind} a \`file\`, \`environment\`${kind === "config" ? " or `content`" : ""}`,
    });
  }
  if (object.file !== undefined) return { sourcePath: object.file };
  const text = inlineContent(project, object);
  if (text !== undefined) return { content: text };
  throw new TscError(
    "TSC_ENVIRONMENT_UNSET",
    `environment variable "${object.environment ?? ""}" required by ${kind} "${source}" is not set`,
    { kind: "invalid-input" },
  );
}

function id(service: string, kind: string, name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw invalid(service, `${kind}s.${name}`, text);
  return value;
}

function mode(service: string, kind: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^[0-7]{1,7}$/.test(text)) throw invalid(service, `${kind}s.mode`, text);
  return Number.parseInt(text, 8);
}
