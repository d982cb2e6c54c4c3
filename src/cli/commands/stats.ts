/** `stats`: what the project's containers use, now and while it is watched. */
import type { EngineApi } from "../../engine/api.js";
import type { ContainerInfo, ContainerStats } from "../../engine/types.js";
import { isTscError } from "../../lib/errors.js";
import type { CommandSpec, OptionSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { CLEAR_SCREEN, joined } from "../render/printed.js";
import { type Row, type RowFormat, renderRows } from "../render/rows.js";
import { binarySize, humanSize } from "../render/units.js";
import { projectContainers, projectName } from "../select.js";

/** The options that `container stats` has as well. */
export const statsOptions: readonly OptionSpec[] = [
  { long: "all", short: "a", help: "Show all containers (default shows just running)" },
  { long: "format", value: "string", help: "Format output: table, table TEMPLATE, json or a Go template" },
  { long: "no-stream", help: "Disable streaming stats and only pull the first result" },
  { long: "no-trunc", help: "Do not truncate output" },
  {
    long: "interval",
    short: "i",
    value: "int",
    default: 1,
    hidden: true,
    help: "Seconds between two looks (podman-compose)",
  },
  { long: "no-reset", hidden: true, help: "Don't clear the screen between two looks (podman-compose)" },
];

export const command: CommandSpec = {
  name: "stats",
  summary: "Display a live stream of container(s) resource usage statistics",
  example: "tscompose stats --no-stream",
  args: [{ name: "SERVICE", complete: "service" }],
  options: statsOptions,
  run: stats,
};

const FORMAT: RowFormat = {
  columns: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
  headers: {
    BlockIO: "BLOCK I/O",
    CPUPerc: "CPU %",
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    MemPerc: "MEM %",
    MemUsage: "MEM USAGE / LIMIT",
    Name: "NAME",
    NetIO: "NET I/O",
    PIDs: "PIDS",
  },
};

async function stats(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const query = { services, all: options.flag("all"), oneOff: "include" as const };
  return await showStats(ctx, options, () => projectContainers(engine, name, query));
}

/** Shows what the containers that `find` gives use, until it is interrupted or once. */
export async function showStats(
  ctx: CliContext,
  options: ParsedOptions,
  find: () => Promise<readonly ContainerInfo[]>,
): Promise<number> {
  const engine = await ctx.engine();
  const format = options.text("format") ?? "";
  const isOnce = options.flag("no-stream");
  const intervalMs = Math.max(1, options.number("interval") ?? 1) * 1000;
  let before = await sample(engine, await find());
  const clears = !isOnce && ctx.isTty.stdout && !options.flag("no-reset") && !format.includes("json");
  for (;;) {
    // processor use is a difference: two looks are needed for the first line already
    if (!(await pause(isOnce ? Math.min(intervalMs, 500) : intervalMs, ctx.signal))) return 130;
    const containers = await find();
    const now = await sample(engine, containers);
    const rows = containers.map((info) =>
      statsRow(info, before.get(info.id), now.get(info.id), !options.flag("no-trunc")),
    );
    const text = renderRows(rows, FORMAT, format);
    ctx.print(clears ? joined([CLEAR_SCREEN, text]) : text);
    if (isOnce) return 0;
    before = now;
  }
}

async function sample(
  engine: EngineApi,
  containers: readonly ContainerInfo[],
): Promise<ReadonlyMap<string, ContainerStats>> {
  const found = await Promise.all(
    containers
      .filter(({ state }) => state === "running" || state === "paused")
      .map((info) =>
        engine.containers.stats(info.id).catch((error: unknown) => {
          // it may have ended since it was listed
          if (isTscError(error)) return undefined;
          throw error;
        }),
      ),
  );
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])));
}

/** Resolves false when interrupted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** One row, keys sorted; percentages as docker computes them. */
export function statsRow(
  info: ContainerInfo,
  before: ContainerStats | undefined,
  now: ContainerStats | undefined,
  trunc: boolean,
): Row {
  const cpu = before === undefined || now === undefined ? 0 : cpuPercent(before, now);
  const memory = now === undefined || now.memoryLimitBytes <= 0 ? 0 : (now.memoryBytes * 100) / now.memoryLimitBytes;
  const id = trunc ? info.id.slice(0, 12) : info.id;
  return {
    BlockIO: `${humanSize(now?.blockReadBytes ?? 0)} / ${humanSize(now?.blockWriteBytes ?? 0)}`,
    CPUPerc: `${cpu.toFixed(2)}%`,
    Container: info.id,
    ID: id,
    MemPerc: `${memory.toFixed(2)}%`,
    MemUsage: `${binarySize(now?.memoryBytes ?? 0)} / ${binarySize(now?.memoryLimitBytes ?? 0)}`,
    Name: info.name,
    NetIO: `${humanSize(now?.networkRxBytes ?? 0)} / ${humanSize(now?.networkTxBytes ?? 0)}`,
    PIDs: String(now?.pids ?? 0),
  };
}

function cpuPercent(before: ContainerStats, now: ContainerStats): number {
  const used = now.cpuTotalNs - before.cpuTotalNs;
  const passed = now.systemNs - before.systemNs;
  return used > 0 && passed > 0 ? (used / passed) * now.onlineCpus * 100 : 0;
}
