/** `export`: a container's file system as a tar. */
import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { projectName, serviceContainer } from "../select.js";
import { usage } from "../usage.js";

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
    throw usage("output option is required when exporting to terminal", "name a file with --output, or redirect");
  }
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const info = await serviceContainer(engine, name, service, { index: options.number("index"), all: true });
  if (ctx.globals.dryRun) {
    const { tellDryRun } = await import("../dry-run.js");
    tellDryRun(ctx, info.name, `Exported to ${output || "standard output"}`);
    return 0;
  }
  const { withItemProgress } = await import("../engine-progress.js");
  await withItemProgress(ctx, { id: info.name, doing: "Exporting", done: "Exported" }, async () => {
    const tar = await engine.containers.export(info.id);
    if (output === "") await pipeline(tar, ctx.stdout, { end: false, signal: ctx.signal });
    else await writeWhole(tar, resolve(ctx.cwd, output), ctx.signal);
  });
  return 0;
}

/** Into a file beside it first: a failed export leaves no half archive under the name that was asked for. */
async function writeWhole(tar: NodeJS.ReadableStream, path: string, signal: AbortSignal): Promise<void> {
  const known = await stat(path).catch(() => undefined);
  if (known !== undefined && !known.isFile()) {
    // a device or a pipe is written as it is
    await pipeline(tar, createWriteStream(path), { signal });
    return;
  }
  const partial = `${path}.${process.pid}.partial`;
  try {
    await pipeline(tar, createWriteStream(partial, { flags: "wx", mode: 0o600 }), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
