/** `wait`: blocks until containers of services stop; prints and returns their exit code. */
import type { CommandSpec } from "../command.js";
import { waitOptions } from "../flags/lifecycle.js";
import { printed } from "../render/printed.js";

export const command: CommandSpec = {
  name: "wait",
  summary: "Block until containers of all (or specified) services stop.",
  example: "tscompose wait migrate",
  args: [{ name: "SERVICE", required: true, variadic: true, complete: "service" }],
  options: waitOptions,
  run: async (ctx, services, options) => {
    const { openSession } = await import("../lifecycle/session.js");
    const { observe } = await import("../../plan/observe.js");
    const { select } = await import("../../plan/selection.js");
    const { TscError } = await import("../../lib/errors.js");
    const { name, project } = await ctx.projectOrName({ services, noDependencies: true });
    await using session = await openSession(ctx, project ?? { name }, { lock: false });
    const observed = await observe(session.engine, name, { resources: false });
    const containers = select(observed, { services, project, oneOffs: true }).filter(
      ({ oneOff, info }) => info.state !== "created" && (!oneOff || info.state === "running"),
    );
    if (containers.length === 0) {
      throw new TscError("TSC_NO_CONTAINER", `no containers for project "${name}"`, { kind: "not-found" });
    }
    const { containers: api } = session.engine;
    let last = 0;
    const stop = new AbortController();
    const signal = AbortSignal.any([ctx.signal, stop.signal]);
    const waits = containers.map(async (container) => {
      const code = container.info.state === "exited" ? container.info.exitCode : await api.wait(container.id, signal);
      ctx.print(printed`container "${container.id}" exited with status code ${code}\n`);
      last = code;
    });
    if (options.flag("down-project")) {
      await Promise.race(waits);
      stop.abort();
      await Promise.allSettled(waits);
      const { planDown } = await import("../../plan/down.js");
      const whole = await ctx.projectOrName();
      await using downing = await openSession(ctx, whole.project ?? { name });
      const now = await observe(downing.engine, name);
      await downing.run(planDown(now, { project: whole.project, removeOrphans: true }));
    } else await Promise.all(waits);
    return last;
  },
};
