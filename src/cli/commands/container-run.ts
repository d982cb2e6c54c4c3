/** `container run`: a container outside any project, made and started; its exit code. */
import type { CommandSpec, ParsedOptions } from "../command.js";
import { containerOptions } from "../container-flags.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { checkTty } from "../tty.js";

export const command: CommandSpec = {
  name: "container run",
  summary: "Create and run a new container from an image",
  example: "tscompose container run --rm -it debian:12 bash",
  stopAtFirstArgument: true,
  args: [{ name: "IMAGE", required: true, complete: "image" }, { name: "COMMAND" }, { name: "ARG", variadic: true }],
  options: [
    ...containerOptions,
    { long: "detach", short: "d", help: "Run container in background and print container ID" },
    { long: "detach-keys", value: "string", help: "Override the key sequence for detaching a container" },
  ],
  run: runContainer,
};

async function runContainer(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const { makeContainer } = await import("../lifecycle/make-container.js");
  const { joinContainer, removeQuietly } = await import("../lifecycle/join-container.js");
  const engine = await ctx.engine();
  const detach = options.flag("detach");
  const rm = options.flag("rm");
  const stdin = options.flag("interactive") && !detach;
  checkTty(ctx, { tty: options.flag("tty"), stdin });
  const id = await makeContainer(ctx, args, options, {
    ...(rm ? (detach ? { autoRemove: true } : { removedByMaker: true }) : {}),
    stdinOnce: stdin,
  });
  if (detach) {
    await engine.containers.start(id);
    ctx.print(printed`${id}\n`);
    return 0;
  }
  const mode = { tty: options.flag("tty"), stdin, detachKeys: options.text("detach-keys") };
  try {
    return await joinContainer(ctx, engine, id, mode, () => engine.containers.start(id));
  } finally {
    if (rm) await removeQuietly(engine, id);
  }
}
