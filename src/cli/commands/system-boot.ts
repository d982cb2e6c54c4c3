/** `system boot`: what docker's daemon does when it starts, for a machine that has none. */
import type { ContainerInfo } from "../../engine/types.js";
import { messageOf, TscError } from "../../lib/errors.js";
import { throwEvery } from "../../lib/teardown.js";
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec } from "../command.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "system boot",
  summary: "Bring back what restart policies say, after a boot of the machine",
  example: "tscompose system boot",
  args: [],
  options: [],
  run: boot,
};

async function boot(ctx: CliContext): Promise<number> {
  const engine = await ctx.engine();
  const waiting = (await engine.containers.list()).filter(({ awaitsBoot }) => awaitsBoot === true);
  const projects = Map.groupBy(waiting, ({ labels }) => labels[LABEL.project] ?? "");
  const failures: unknown[] = [];
  for (const [name, containers] of [...projects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    try {
      if (name === "") await bringBack(ctx, containers);
      else await bringBackProject(ctx, name);
    } catch (error) {
      ctx.signal.throwIfAborted();
      failures.push(error);
      ctx.warn(`${name === "" ? "containers outside of projects" : `project ${name}`}: ${messageOf(error)}`);
    }
  }
  if (failures.length === 0) return 0;
  throw new TscError("TSC_BOOT", "not everything came back", {
    kind: "unavailable",
    hint: "`tscompose ps -a` shows what is down; once it is mended, the same command brings back the rest",
  });
}

async function bringBackProject(ctx: CliContext, name: string): Promise<void> {
  const { openSession } = await import("../lifecycle/session.js");
  const { observe } = await import("../../plan/observe.js");
  const { planBoot } = await import("../../plan/boot.js");
  await using session = await openSession(ctx, { name });
  const observed = await observe(session.engine, name, { resources: false });
  await session.run(planBoot(observed));
}

/** What `container run` made. */
async function bringBack(ctx: CliContext, containers: readonly ContainerInfo[]): Promise<void> {
  const engine = await ctx.engine();
  const failures: unknown[] = [];
  for (const { id, name } of containers) {
    if (ctx.globals.dryRun) {
      ctx.print(printed` DRY-RUN MODE -  start container ${name}\n`);
      continue;
    }
    await engine.containers.start(id).then(
      () => ctx.note(printed`Container ${name} Started\n`),
      (error: unknown) => failures.push(error),
    );
  }
  throwEvery(failures);
}
