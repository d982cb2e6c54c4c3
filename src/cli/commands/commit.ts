/** `commit`: a new image from a container's changes. */
import { given } from "../../lib/given.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { projectName, serviceContainer } from "../select.js";

export const command: CommandSpec = {
  name: "commit",
  summary: "Create a new image from a service container's changes",
  example: "tscompose commit web web:patched",
  args: [{ name: "SERVICE", required: true, complete: "service" }, { name: "REPOSITORY[:TAG]" }],
  options: [
    { long: "author", short: "a", value: "string", help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    { long: "change", short: "c", value: "list", help: "Apply Dockerfile instruction to the created image" },
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "message", short: "m", value: "string", help: "Commit message" },
    { long: "pause", short: "p", default: true, help: "Pause container during commit" },
  ],
  run: commit,
};

async function commit(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const [service = "", reference] = args;
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const info = await serviceContainer(engine, name, service, { index: options.number("index"), all: true });
  if (ctx.globals.dryRun) {
    const { tellDryRun } = await import("../dry-run.js");
    tellDryRun(ctx, info.name, reference === undefined ? "Committed" : `Committed as ${reference}`);
    return 0;
  }
  const author = options.text("author");
  const message = options.text("message");
  const { withItemProgress } = await import("../engine-progress.js");
  const id = await withItemProgress(
    ctx,
    { id: info.name, doing: "Committing", done: "Committed" },
    async () =>
      await engine.containers.commit(info.id, {
        changes: options.list("change"),
        pause: options.flag("pause"),
        ...given({ reference, author, message }),
      }),
  );
  ctx.print(printed`${id}\n`);
  return 0;
}
