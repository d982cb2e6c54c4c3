/** `container logs`: what one container wrote; stdout and stderr stay apart. */
import { once } from "node:events";
import { given } from "../../lib/given.js";
import type { CommandSpec } from "../command.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "container logs",
  summary: "Fetch the logs of a container",
  example: "tscompose container logs -f demo-web-1",
  args: [{ name: "CONTAINER", required: true, complete: "container" }],
  options: [
    { long: "follow", short: "f", help: "Follow log output" },
    { long: "since", value: "string", help: "Show logs since timestamp or relative (e.g. 42m)" },
    {
      long: "tail",
      short: "n",
      value: "string",
      default: "all",
      help: "Number of lines to show from the end of the logs",
    },
    { long: "timestamps", short: "t", help: "Show timestamps" },
    { long: "until", value: "string", help: "Show logs before a timestamp or relative (e.g. 42m)" },
  ],
  run: async (ctx, args, options) => {
    const engine = await ctx.engine();
    const info = await engine.containers.inspect(args[0] ?? "");
    const tail = options.text("tail") ?? "all";
    if (tail !== "all" && !/^-?\d{1,12}$/.test(tail)) {
      throw usage(`invalid value for --tail: "${tail}"`);
    }
    const since = options.text("since");
    const until = options.text("until");
    const lines = engine.containers.logs(info.id, {
      follow: options.flag("follow"),
      signal: ctx.signal,
      ...(tail === "all" || Number(tail) < 0 ? {} : { tail: Number(tail) }),
      ...given({ since, until }),
    });
    try {
      for await (const line of lines) {
        const target = line.stream === "stderr" ? ctx.stderr : ctx.stdout;
        const text = `${options.flag("timestamps") ? `${line.time.replace("+00:00", "Z")} ` : ""}${line.text}${line.partial ? "" : "\n"}`;
        if (!target.write(text)) await once(target, "drain");
      }
    } catch (error) {
      if (!ctx.signal.aborted) throw error;
    }
    return ctx.signal.aborted ? 130 : 0;
  },
};
