/** What callers see of a container: row, kernel and supervisor put together. Reads only. */

import { given } from "../../lib/given.js";
import type { EngineContext } from "../context.js";
import { readHealth } from "../health/index.js";
import { containerLabels } from "../labels.js";
import { keptEnv } from "../secrets/index.js";
import type { ContainerRow } from "../state/containers.js";
import { endpointsOf, isLive } from "../state/endpoints.js";
import type { ContainerInfo, ContainerSpec, ContainerState } from "../types.js";
import { folderOf } from "./lookup.js";
import { startsAtBoot } from "./supervise.js";

/** What it was asked for, its environment included; content of files stays where it is held. */
export function wholeSpec(ctx: Pick<EngineContext, "paths">, row: Pick<ContainerRow, "id" | "spec">): ContainerSpec {
  const { keepsEnv: _kept, ...spec } = row.spec;
  return { ...spec, ...keptEnv(folderOf(ctx, row.id), row.spec) };
}

/** The public form of a row. `state` overrides what the row says (a container between two runs is `restarting`). */
export function containerInfo(ctx: EngineContext, row: ContainerRow, state: ContainerState = row.state): ContainerInfo {
  const isUp = state === "running" || state === "paused";
  const health = readHealth(ctx, row);
  return {
    id: row.id,
    name: row.name,
    spec: wholeSpec(ctx, row),
    imageId: row.imageId,
    imageName: row.imageName,
    labels: containerLabels(row.record.image?.labels, row.spec.labels),
    state,
    pid: isUp ? row.pid : 0,
    exitCode: row.exitCode,
    oomKilled: row.oomKilled,
    error: row.error,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    restartCount: row.restartCount,
    ...(row.bootId !== ctx.kernel.bootId() && startsAtBoot(row) ? { awaitsBoot: true } : {}),
    health: isUp ? health.state : "none",
    healthFailingStreak: health.failingStreak,
    healthLog: health.log,
    networks: isUp ? endpoints(ctx, row) : [],
    ports: isUp ? (row.record.ports ?? []) : [],
    mounts: row.record.mounts.map(({ type, name, source, target, readOnly, anonymous }) => ({
      type,
      name,
      source,
      target,
      readOnly,
      anonymous,
    })),
    hasHealthcheck: row.record.healthcheck !== undefined,
    ...given({ healthcheck: row.record.healthcheck, image: row.record.image }),
    argv: row.record.argv,
    logPath: row.record.logPath,
    ...confinement(row.record),
  };
}

function confinement({ selinux, apparmor }: ContainerRow["record"]) {
  return {
    ...(selinux === undefined ? {} : { processLabel: selinux.process, mountLabel: selinux.mount }),
    ...given({ apparmorProfile: apparmor }),
  };
}

function endpoints(ctx: EngineContext, row: ContainerRow): ContainerInfo["networks"] {
  const bootId = ctx.kernel.bootId();
  return endpointsOf(ctx.state, row.id)
    .filter((record) => isLive(record, bootId))
    .map((record) => record.endpoint);
}
