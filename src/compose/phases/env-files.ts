/** Files that services take variables and labels from: what they say, under what is written inline. */
import { resolve } from "node:path";
import { given } from "../../lib/given.js";
import { labelsOfFiles, serviceEnvironment } from "../env/env-file.js";
import { SERVICE } from "../model/service.js";
import type { EnvFile, LoadWarning, Project, Service } from "../model.js";
import type { ComposeFs } from "../options.js";
import type { Problems } from "../problems.js";

/** How the files are read. */
export interface EnvFileOptions {
  readonly fs: ComposeFs;
  readonly warn: (warning: LoadWarning) => void;
  /** Leave `env_file` where it is, unread. */
  readonly keepFiles: boolean;
}

/** The project whose active services have the contents of `env_file` and `label_file`. Throws what `problems` met. */
export function resolveEnvFiles(project: Project, options: EnvFileOptions, problems: Problems): Project {
  const services = Object.create(null) as Record<string, Service>;
  for (const [name, service] of Object.entries(project.services)) {
    const key = service.env_file === undefined ? "label_file" : "env_file";
    services[name] =
      problems.guard(["services", name, key], () => resolveService(project, service, options)) ?? service;
  }
  problems.throw();
  return { ...project, services };
}

function resolveService(project: Project, service: Service, { fs, warn, keepFiles }: EnvFileOptions): Service {
  if (service.env_file === undefined && service.label_file === undefined) return service;
  const { env_file, label_file, environment, labels, ...rest } = service;
  // paths are still relative when their resolution is switched off
  const inProject = (path: string): string => (path === "" ? "" : resolve(project.workingDir, path));
  const absolute = (file: EnvFile): EnvFile => ({ ...file, path: inProject(file.path) });
  const merged =
    env_file === undefined || keepFiles
      ? environment
      : serviceEnvironment(environment ?? {}, env_file.map(absolute), project.environment, fs, warn);
  const mergedLabels =
    label_file === undefined
      ? labels
      : { ...Object.fromEntries(labelsOfFiles(label_file.map(inProject), fs, warn)), ...labels };
  return inFieldOrder({
    ...rest,
    ...given({
      env_file: keepFiles ? env_file : undefined,
      environment: merged === undefined || Object.keys(merged).length === 0 ? undefined : merged,
      labels: mergedLabels,
    }),
  });
}

/** The service with the fields of the model where the reference prints them, extensions last. */
function inFieldOrder(service: Service): Service {
  const fields: Readonly<Record<string, unknown>> = { ...service };
  const known = SERVICE.map(({ name }) => name).filter((name) => fields[name] !== undefined);
  const rest = Object.keys(fields).filter((name) => name.startsWith("x-"));
  return Object.fromEntries([...known, ...rest].map((name) => [name, fields[name]])) as unknown as Service;
}
