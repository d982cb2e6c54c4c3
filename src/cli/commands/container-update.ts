/** `container update`: limits and restart policy of containers, while they run. */

import type { Resources, RestartPolicy } from "../../engine/types.js";
import type { TscError } from "../../lib/errors.js";
import { parseSize } from "../../lib/size.js";
import type { ParsedOptions } from "../command.js";
import { containersCommand } from "../container-verb.js";
import { usage } from "../usage.js";

export const command = containersCommand({
  verb: "update",
  summary: "Update configuration of one or more containers",
  example: "tscompose container update --memory 512m --restart unless-stopped demo-web-1",
  options: [
    { long: "blkio-weight", value: "int", help: "Block IO (relative weight), between 10 and 1000" },
    { long: "cpu-period", value: "int", help: "Limit CPU CFS (Completely Fair Scheduler) period" },
    { long: "cpu-quota", value: "int", help: "Limit CPU CFS (Completely Fair Scheduler) quota" },
    { long: "cpu-shares", short: "c", value: "int", help: "CPU shares (relative weight)" },
    { long: "cpus", value: "string", help: "Number of CPUs" },
    { long: "cpuset-cpus", value: "string", help: "CPUs in which to allow execution (0-3, 0,1)" },
    { long: "cpuset-mems", value: "string", help: "MEMs in which to allow execution (0-3, 0,1)" },
    { long: "memory", short: "m", value: "string", help: "Memory limit" },
    { long: "memory-reservation", value: "string", help: "Memory soft limit" },
    { long: "memory-swap", value: "string", help: "Swap limit equal to memory plus swap: -1 to enable unlimited swap" },
    { long: "pids-limit", value: "int", help: "Tune container pids limit (set -1 for unlimited)" },
    { long: "restart", value: "string", help: "Restart policy to apply when a container exits" },
  ],
  work: ({ containers }, { id }, options) => {
    const restart = options.text("restart");
    const resources = resourcesOf(options);
    return containers.update(id, {
      ...(restart === undefined ? {} : { restart: restartPolicy(restart) }),
      ...(Object.keys(resources).length === 0 ? {} : { resources }),
    });
  },
});

function resourcesOf(options: ParsedOptions): Resources {
  const size = (long: string) => {
    const text = options.text(long);
    if (text === undefined) return undefined;
    return Number(parseSize(text));
  };
  const cpus = options.text("cpus");
  if (cpus !== undefined && !/^\d+(?:\.\d+)?$/.test(cpus))
    throw invalid(`invalid value "${cpus}" for --cpus: not a number`);
  return defined({
    blkioWeight: options.number("blkio-weight"),
    cpuPeriodUs: options.number("cpu-period"),
    cpuQuotaUs: options.number("cpu-quota"),
    cpuShares: options.number("cpu-shares"),
    cpus: cpus === undefined ? undefined : Number(cpus),
    cpusetCpus: options.text("cpuset-cpus"),
    cpusetMems: options.text("cpuset-mems"),
    memoryBytes: size("memory"),
    memoryReservationBytes: size("memory-reservation"),
    memorySwapBytes: size("memory-swap"),
    pidsLimit: options.number("pids-limit"),
  });
}

function defined<T extends object>(values: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
function restartPolicy(text: string): RestartPolicy {
  const [, policy, retries] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (policy === "no" || policy === "always" || policy === "unless-stopped" || policy === "on-failure") {
    if (retries === undefined) return { policy };
    if (policy === "on-failure") return { policy, maxRetries: Number(retries) };
  }
  throw invalid(`invalid restart policy "${text}": use no, always, unless-stopped or on-failure[:N]`);
}

function invalid(message: string): TscError {
  return usage(message);
}
