/** `attach`: our standard streams to a running container's main process. */
import type { ContainerInfo } from "../../engine/types.js";
import { TscError } from "../../lib/errors.js";
import type { CommandSpec, OptionSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { projectName, serviceContainer } from "../select.js";
import { checkTty } from "../tty.js";

/** The options that `container attach` has as well. */
export const attachOptions: readonly OptionSpec[] = [
  { long: "detach-keys", value: "string", help: "Override the key sequence for detaching from a container" },
  { long: "no-stdin", help: "Do not attach STDIN" },
  { long: "sig-proxy", default: true, help: "Proxy all received signals to the process" },
];

export const command: CommandSpec = {
  name: "attach",
  summary: "Attach local standard input, output, and error streams to a service's running container",
  example: "tscompose attach web",
  args: [{ name: "SERVICE", required: true, complete: "service" }],
  options: [
    ...attachOptions,
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
  ],
  run: attach,
};

async function attach(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const [service = ""] = args;
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  return await attachTo(
    ctx,
    await serviceContainer(engine, name, service, { index: options.number("index") }),
    options,
  );
}

/** Joins our streams to a container with the shared options; its exit code. `TSC_CONTAINER_NOT_RUNNING`. */
export async function attachTo(ctx: CliContext, info: ContainerInfo, options: ParsedOptions): Promise<number> {
  const engine = await ctx.engine();
  if (info.state !== "running") {
    throw new TscError("TSC_CONTAINER_NOT_RUNNING", `cannot attach to container ${info.name}: it is ${info.state}`, {
      kind: "conflict",
    });
  }
  const stdin = !options.flag("no-stdin") && info.spec.stdinOpen === true;
  const tty = info.spec.tty === true;
  checkTty(ctx, { tty, stdin });
  await using session = await engine.containers.attach(info.id, { stdin });
  const { joinSession } = await import("../stdio.js");
  const code = await joinSession(ctx, session, {
    tty,
    stdin,
    detachKeys: options.text("detach-keys"),
    onSignal: (signal) => {
      if (options.flag("sig-proxy")) engine.containers.kill(info.id, signal).catch(() => undefined);
      else session.detach().catch(() => undefined);
    },
  });
  return code ?? 0;
}
