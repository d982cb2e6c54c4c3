/** `image build`: an image from a folder and its Dockerfile. */
import { resolve } from "node:path";
import { given } from "../../lib/given.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { allowOption } from "../flags/lifecycle.js";
import { printed } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "image build",
  summary: "Build an image from a Dockerfile",
  example: "tscompose image build -t app:1 .",
  args: [{ name: "PATH", required: true, complete: "directory" }],
  options: [
    allowOption,
    { long: "build-arg", value: "list", help: "Set build-time variables" },
    { long: "build-context", value: "list", placeholder: "NAME=PATH", help: "Additional build contexts" },
    { long: "file", short: "f", value: "string", complete: "file", help: "Name of the Dockerfile" },
    { long: "label", value: "list", help: "Set metadata for an image" },
    { long: "network", value: "string", help: "Set the networking mode for the RUN instructions" },
    { long: "no-cache", help: "Do not use cache when building the image" },
    { long: "platform", value: "string", help: "Set target platform for build" },
    { long: "pull", help: "Always attempt to pull all referenced images" },
    { long: "quiet", short: "q", help: "Suppress the build output and print image ID on success" },
    { long: "secret", value: "list", placeholder: "id=ID,src=FILE", help: "Secret to expose to the build" },
    {
      long: "ssh",
      value: "list",
      placeholder: "default|ID=PATH[,PATH]",
      help: "SSH agent socket or keys to expose to the build",
    },
    { long: "tag", short: "t", value: "list", help: "Name and optionally a tag" },
    { long: "target", value: "string", help: "Set the target build stage to build" },
  ],
  run: build,
};

async function build(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const engine = await ctx.engine();
  const text = (name: string) => {
    const value = options.text(name);
    return value === undefined || value === "" ? undefined : value;
  };
  const file = text("file");
  const target = text("target");
  const platform = text("platform");
  const network = text("network");
  const { withEngineProgress } = await import("../engine-progress.js");
  const { environment } = await import("./exec.js");
  const { sshForward } = await import("../../plan/build-ssh.js");
  const { entitlement } = await import("../../plan/build-request.js");
  const image = await withEngineProgress(ctx, options.flag("quiet"), (onProgress) =>
    engine.images.build({
      context: resolve(ctx.cwd, args[0] ?? "."),
      tags: options.list("tag"),
      args: environment(options.list("build-arg"), ctx.env),
      labels: pairs(options.list("label"), "label"),
      additionalContexts: pairs(options.list("build-context"), "build-context"),
      secrets: options.list("secret").map((entry) => secret(entry, ctx)),
      ssh: options.list("ssh").map((word) => sshForward(word, (path) => resolve(ctx.cwd, path))),
      noCache: options.flag("no-cache"),
      allow: options.list("allow").map((name) => entitlement(name, "--allow")),
      pull: options.flag("pull"),
      onProgress,
      signal: ctx.signal,
      ...(file === undefined ? {} : { dockerfile: resolve(ctx.cwd, file) }),
      ...given({ target, platform, network }),
    }),
  );
  ctx.print(printed`${image.id}\n`);
  return 0;
}

function pairs(entries: readonly string[], flag: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      if (equals <= 0 && flag === "build-context") {
        throw usage(`invalid --${flag} "${entry}": expected NAME=VALUE`);
      }
      return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** `id=ID,src=FILE` or `id=ID,env=NAME`; `src` defaults to an environment variable, then a file, named like the id. */
function secret(entry: string, ctx: CliContext): { id: string; sourcePath?: string; content?: string } {
  const fields = new Map(entry.split(",").map((part) => [part.split("=")[0] ?? "", part.slice(part.indexOf("=") + 1)]));
  const id = fields.get("id");
  if (id === undefined || id === "") {
    throw usage(`invalid --secret "${entry}": an id is needed`);
  }
  const source = fields.get("src") ?? fields.get("source");
  if (source !== undefined) return { id, sourcePath: resolve(ctx.cwd, source) };
  const content = ctx.env[fields.get("env") ?? id];
  return content === undefined ? { id, sourcePath: resolve(ctx.cwd, id) } : { id, content };
}
