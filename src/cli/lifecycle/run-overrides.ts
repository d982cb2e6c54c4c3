/** What the flags of `run` change in the service. Reads env files given by name; changes nothing else. */
import { readFile } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { parseDotenv } from "../../compose/env/dotenv.js";
import type { Port, Project, Service, ServiceVolume } from "../../compose/model.js";
import { shellWords } from "../../compose/phases/shell-words.js";
import { parsePorts } from "../../compose/phases/short-port.js";
import { parseVolume } from "../../compose/phases/short-volume.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { withoutServiceTraits } from "../../plan/one-off.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { usage } from "../usage.js";
import { keyValues } from "./options.js";

/** The service as the one-off container runs it. */
export async function changedService(
  ctx: CliContext,
  project: Project,
  config: Service,
  argv: readonly string[],
  options: ParsedOptions,
): Promise<Service> {
  const entrypoint = options.text("entrypoint");
  const user = options.text("user");
  const workdir = options.text("workdir");
  const publish = options.list("publish");
  if (publish.length > 0 && options.flag("service-ports")) {
    throw usage("--service-ports and --publish are incompatible");
  }
  const environment = await runEnvironment(ctx, project, options);
  return {
    ...withoutServiceTraits(config),
    ...(argv.length > 0 ? { command: argv } : entrypoint === undefined ? {} : { command: [] }),
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === "" ? [] : shellWords(entrypoint) }),
    environment: { ...config.environment, ...environment },
    ...(user === undefined || user === "" ? {} : { user }),
    ...(workdir === undefined || workdir === "" ? {} : { working_dir: workdir }),
    ...(publish.length > 0
      ? { ports: publish.flatMap((text) => parsePorts(text).map((port): Port => ({ ...port }))) }
      : {}),
    volumes: mergedVolumes(
      config,
      options.list("volume").map((text) => volumeOf(ctx, text)),
    ),
    cap_add: [...(config.cap_add ?? []), ...options.list("cap-add")],
    cap_drop: [...(config.cap_drop ?? []), ...options.list("cap-drop")],
  };
}

/** `--label`. */
export function labelsOf(options: ParsedOptions): Record<string, string> {
  return Object.fromEntries(
    options.list("label").map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Files first, then `-e`; a bare `-e KEY` takes the project's value and says nothing when there is none. */
async function runEnvironment(
  ctx: CliContext,
  project: Project,
  options: ParsedOptions,
): Promise<Record<string, string | null>> {
  const result: Record<string, string | null> = {};
  for (const file of options.list("env-from-file")) {
    const path = isAbsolute(file) ? file : resolve(ctx.cwd, file);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (cause) {
      throw new TscError("TSC_ENV_FILE_NOT_FOUND", `couldn't find env file: ${path}`, { kind: "not-found", cause });
    }
    for (const [key, value] of parseDotenv(text, (name) => project.environment[name])) result[key] = value;
  }
  for (const entry of options.list("env")) {
    Object.assign(result, keyValues([entry], project.environment));
  }
  return result;
}

/** A volume by its short form; relative paths start at the current folder, unknown names are plain named volumes. */
function volumeOf(ctx: CliContext, text: string): ServiceVolume {
  const { type, source, target, read_only, bind, volume } = parseVolume(text);
  const common = { target, ...given({ read_only }) };
  if (type !== "bind" || source === undefined) {
    return {
      type,
      ...common,
      ...given({ source, volume }),
    };
  }
  return {
    type,
    ...common,
    source: source.startsWith("~") ? source.replace("~", ctx.env.HOME ?? "") : resolve(ctx.cwd, source),
    bind: {
      ...given({ selinux: bind?.selinux, propagation: bind?.propagation }),
    },
  };
}

/** A volume given on the command line takes the place of the service's at the same target. */
function mergedVolumes(config: Service, given: readonly ServiceVolume[]): readonly ServiceVolume[] {
  const targets = new Set(given.map(({ target }) => target));
  return [...(config.volumes ?? []).filter(({ target }) => !targets.has(target)), ...given];
}
