/** `image load`: from an archive that `image save`, docker or skopeo wrote. */

import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CommandSpec } from "../command.js";
import { printedLines } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "image load",
  summary: "Load images from a docker or OCI archive",
  example: "tscompose image load -i images.tar",
  args: [],
  options: [
    { long: "input", short: "i", value: "string", complete: "file", help: "Read from a file, instead of STDIN" },
    { long: "quiet", short: "q", help: "Suppress progress output" },
  ],
  run: async (ctx, _args, options) => {
    const input = options.text("input") ?? "";
    if (input === "" && ctx.isTty.stdin) {
      throw usage("requested load from stdin, but stdin is a terminal", "name the archive with --input");
    }
    const engine = await ctx.engine();
    const { withEngineProgress } = await import("../engine-progress.js");
    const load = (path: string) =>
      withEngineProgress(ctx, options.flag("quiet"), (onProgress) =>
        engine.images.load(path, { onProgress, signal: ctx.signal }),
      );
    const print = (names: readonly string[]) => ctx.print(printedLines(names.map((name) => `Loaded image: ${name}`)));
    if (input !== "") {
      print(await load(resolve(ctx.cwd, input)));
      return 0;
    }
    // archives are read more than once, so a pipe is written down first
    const folder = await mkdtemp(join(ctx.env.TMPDIR ?? tmpdir(), "tscompose-load-"));
    try {
      const path = join(folder, "archive");
      await pipeline(ctx.stdin, createWriteStream(path), { signal: ctx.signal });
      print(await load(path));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return 0;
  },
};
