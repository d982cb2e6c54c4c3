/** `export`: a container's file system as a tar. */
import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { TscError } from "../../lib/errors.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { projectName, serviceContainer } from "../select.js";

export const command: CommandSpec = {
  name: "export",
  summary: "Export a service container's filesystem as a tar archive",
  example: "tscompose export -o web.tar web",
  args: [{ name: "SERVICE", required: true, complete: "service" }],
  options: [
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "output", short: "o", value: "string", complete: "file", help: "Write to a file, instead of STDOUT" },
  ],
  run: exportContainer,
};

async function exportContainer(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const [service = ""] = args;
  const output = options.text("output") ?? "";
  if (output === "" && ctx.isTty.stdout) {
    throw new TscError("TSC_USAGE", "refusing to write an archive to a terminal", {
      kind: "invalid-input",
      hint: "name a file with --output, or redirect",
    });
  }
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const info = await serviceContainer(engine, name, service, { index: options.number("index"), all: true });
  const tar = await engine.containers.export(info.id);
  if (output === "") await pipeline(tar, ctx.stdout, { end: false, signal: ctx.signal });
  else await pipeline(tar, createWriteStream(resolve(ctx.cwd, output)), { signal: ctx.signal });
  return 0;
}
