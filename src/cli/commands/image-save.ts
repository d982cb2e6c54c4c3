/** `image save`: images into an archive that `docker load` reads too. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CommandSpec } from "../command.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "image save",
  summary: "Save one or more images to a tar archive",
  example: "tscompose image save -o redis.tar redis:7",
  args: [{ name: "IMAGE", required: true, variadic: true, complete: "image" }],
  options: [
    { long: "output", short: "o", value: "string", complete: "file", help: "Write to a file, instead of STDOUT" },
  ],
  run: async (ctx, names, options) => {
    const output = options.text("output") ?? "";
    if (output === "" && ctx.isTty.stdout) {
      throw usage("refusing to write an archive to a terminal", "name a file with --output, or redirect");
    }
    const engine = await ctx.engine();
    if (output !== "") {
      await engine.images.save(names, resolve(ctx.cwd, output));
      return 0;
    }
    const folder = await mkdtemp(join(ctx.env.TMPDIR ?? tmpdir(), "tscompose-save-"));
    try {
      const path = join(folder, "archive");
      await engine.images.save(names, path);
      await pipeline(createReadStream(path), ctx.stdout, { end: false, signal: ctx.signal });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return 0;
  },
};
