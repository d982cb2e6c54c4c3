/** `logs`: what the project's containers wrote; with `-f` also what later ones write. */
import type { EngineApi } from "../../engine/api.js";
import type { ContainerInfo, LogOptions } from "../../engine/types.js";
import { isTscError } from "../../lib/errors.js";
import { throwEvery } from "../../lib/teardown.js";
import { formatRfc3339Nano } from "../../lib/timestamp.js";
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { createLogPrinter, type LogPrinter, wantsColor } from "../render/log-printer.js";
import { checkServices, isLive, nameWithoutProject, projectContainers, serviceContainer } from "../select.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "logs",
  summary: "View output from containers",
  example: "tscompose logs -f --tail 100 web",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    { long: "follow", short: "f", help: "Follow log output" },
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "no-color", help: "Produce monochrome output" },
    { long: "no-log-prefix", help: "Don't print prefix in logs" },
    {
      long: "since",
      value: "string",
      help: "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m)",
    },
    {
      long: "tail",
      short: "n",
      value: "string",
      default: "all",
      help: "Number of lines to show from the end of the logs",
    },
    { long: "timestamps", short: "t", help: "Show timestamps" },
    { long: "until", value: "string", help: "Show logs before a timestamp or relative (e.g. 42m)" },
    { long: "latest", short: "l", hidden: true, help: "Act on the latest container (podman-compose)" },
    { long: "names", hidden: true, help: "Output the container name, which is the default (podman-compose)" },
  ],
  run: logs,
};

async function logs(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const read = readOptions(options);
  const index = options.number("index") ?? 0;
  if (index > 0 && services.length !== 1) {
    throw usage("--index requires one service to be selected");
  }
  const [{ name, project }, engine] = await Promise.all([ctx.projectOrName(), ctx.engine()]);
  checkServices(project, services);
  const wanted = services.length > 0 || project === undefined ? services : Object.keys(project.services);
  const found =
    index > 0
      ? [await serviceContainer(engine, name, services[0] ?? "", { index, all: true })]
      : await projectContainers(engine, name, { services: wanted, all: true });
  const containers = options.flag("latest") ? latestOf(found) : found;
  const printer = createLogPrinter({
    stdout: ctx.stdout,
    stderr: ctx.stdout,
    color: !options.flag("no-color") && wantsColor(ctx),
    prefix: !options.flag("no-log-prefix"),
    timestamps: options.flag("timestamps"),
  });
  for (const info of containers) printer.register(nameWithoutProject(info));
  if (options.flag("follow")) {
    await follow({ ctx, engine, printer, read, project: name, wanted, index }, containers);
  } else {
    await Promise.all(containers.map((info) => printLogs(ctx, engine, printer, info, { ...read, signal: ctx.signal })));
  }
  printer.flush();
  return ctx.signal.aborted && options.flag("follow") ? 130 : 0;
}

/** The container made last. */
function latestOf(containers: readonly ContainerInfo[]): readonly ContainerInfo[] {
  return containers.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, 1);
}

function readOptions(options: ParsedOptions): LogOptions {
  const tail = options.text("tail") ?? "all";
  if (tail !== "all" && !/^-?\d{1,12}$/.test(tail)) {
    throw usage(`invalid value for --tail: "${tail}" is neither a number nor "all"`);
  }
  const since = options.text("since");
  const until = options.text("until");
  return {
    ...(tail === "all" || Number(tail) < 0 ? {} : { tail: Number(tail) }),
    ...(since === undefined || since === "" ? {} : { since }),
    ...(until === undefined || until === "" ? {} : { until }),
  };
}

async function printLogs(
  ctx: CliContext,
  engine: EngineApi,
  printer: LogPrinter,
  info: ContainerInfo,
  read: LogOptions,
): Promise<void> {
  const name = nameWithoutProject(info);
  try {
    for await (const line of engine.containers.logs(info.id, read)) {
      printer.log(name, line);
      // one slow reader of ours must not make us hold a whole log in memory
      if (ctx.stdout.writableNeedDrain) await new Promise((resolve) => ctx.stdout.once("drain", resolve));
    }
  } catch (error) {
    if (isTscError(error, "TSC_LOGS_UNAVAILABLE")) ctx.warn(`can't retrieve logs for "${name}": ${error.message}`);
    else if (!ctx.signal.aborted && !isTscError(error, "TSC_CONTAINER_NOT_FOUND")) throw error;
  }
}

interface FollowScope {
  readonly ctx: CliContext;
  readonly engine: EngineApi;
  readonly printer: LogPrinter;
  readonly read: LogOptions;
  readonly project: string;
  readonly wanted: readonly string[];
  readonly index: number;
}

/** Ends when no followed container runs any more, or on an interrupt. */
async function follow(scope: FollowScope, initial: readonly ContainerInfo[]): Promise<void> {
  const { ctx, engine, printer, read, project, wanted, index } = scope;
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const running = new Set(initial.filter(isLive).map(({ id }) => id));
  /** Made and not started yet: what takes the place of one that ends. */
  const coming = new Set<string>();
  const followed = new Map<string, Promise<void>>();
  /** Until when each container's lines have been shown, or are about to be. */
  const shownUntil = new Map(initial.map(({ id }) => [id, new Date().toISOString()]));
  const failures: unknown[] = [];
  const start = (info: ContainerInfo, options: LogOptions) => {
    const before = followed.get(info.id) ?? Promise.resolve();
    const printing = before
      .then(() => printLogs(ctx, engine, printer, info, options))
      .catch((error: unknown) => {
        failures.push(error);
        stop.abort();
      });
    followed.set(info.id, printing);
  };
  // listening begins before the first lines are read, so that nothing started meanwhile is missed
  const events = engine.events.stream({ labels: { [LABEL.project]: project }, follow: true, signal });
  // what has ended is read to its end, also when nothing is left to follow
  for (const info of initial)
    start(info, { ...read, follow: isLive(info), signal: isLive(info) ? signal : ctx.signal });
  if (running.size === 0) stop.abort();
  try {
    for await (const event of events) {
      if (event.type !== "container") continue;
      const { attributes } = event;
      const service = attributes[LABEL.service] ?? "";
      if (attributes[LABEL.oneOff] === "True" || (wanted.length > 0 && !wanted.includes(service))) continue;
      if (index > 0 && Number(attributes[LABEL.number]) !== index) continue;
      if (event.action === "create") coming.add(event.id);
      else if (event.action === "destroy") {
        coming.delete(event.id);
        if (running.size === 0 && coming.size === 0) break;
      } else if (event.action === "start") {
        coming.delete(event.id);
        const info = await engine.containers.inspect(event.id).catch(() => undefined);
        const isKnown = running.has(event.id);
        if (info === undefined || isKnown) continue;
        running.add(info.id);
        // it may have ended and started again by now: its last start is no beginning
        start(info, { ...read, since: shownUntil.get(info.id) ?? info.createdAt, follow: true, signal });
      } else if (event.action === "die") {
        const info = await engine.containers.inspect(event.id).catch(() => undefined);
        await followed.get(event.id);
        shownUntil.set(event.id, formatRfc3339Nano(BigInt(event.timeNano)));
        running.delete(event.id);
        const isRestarting = info?.state === "restarting";
        const code = attributes.exitCode ?? String(info?.exitCode ?? 0);
        const shown = info === undefined ? event.name : nameWithoutProject(info);
        printer.status(shown, `exited with code ${code}${isRestarting ? " (restarting)" : ""}`);
        if (isRestarting) continue;
        if (running.size === 0 && coming.size === 0) break;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (ctx.signal.aborted) stop.abort();
  await Promise.all(followed.values());
  stop.abort();
  throwEvery(failures);
}
