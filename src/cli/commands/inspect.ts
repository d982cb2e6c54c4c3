/** `inspect`: a container, image, network or volume, whichever has the name. */
import { isTscError, TscError } from "../../lib/errors.js";
import type { CommandSpec } from "../command.js";
import type { CliContext } from "../context.js";
import { containerObject, inspectAll } from "../inspect.js";
import { inspectImage, inspectNetwork, inspectVolume } from "../render/inspect.js";

/** docker's order. */
const TYPES = ["container", "image", "network", "volume"] as const;

export const command: CommandSpec = {
  name: "inspect",
  engine: true,
  summary: "Return low-level information on containers, images, networks and volumes",
  example: "tscompose inspect --format '{{.State.Status}}' demo-web-1",
  args: [{ name: "NAME|ID", required: true, variadic: true, complete: "container" }],
  options: [
    { long: "format", short: "f", value: "string", help: "json, or a Go template" },
    { long: "type", value: "string", choices: TYPES, help: "Only inspect objects of the given type" },
  ],
  run: async (ctx, names, options) => {
    const wanted = options.text("type");
    const types = TYPES.filter((type) => wanted === undefined || type === wanted);
    return await inspectAll(ctx, names, options.text("format"), (name) => inspectAny(ctx, types, name));
  },
};

async function inspectAny(ctx: CliContext, types: readonly (typeof TYPES)[number][], name: string): Promise<unknown> {
  for (const type of types) {
    try {
      return await finders[type](ctx, name);
    } catch (error) {
      // what is no name of one kind may be one of another
      if (!isTscError(error) || !["not-found", "invalid-input"].includes(error.kind)) throw error;
    }
  }
  throw new TscError("TSC_NOT_FOUND", `no such object: ${name}`, { kind: "not-found" });
}

const finders: Readonly<Record<(typeof TYPES)[number], (ctx: CliContext, name: string) => Promise<unknown>>> = {
  container: containerObject,
  image: async (ctx, name) => inspectImage(await (await ctx.engine()).images.inspect(name)),
  network: async (ctx, name) => {
    const engine = await ctx.engine();
    const network = await engine.networks.inspect(name);
    const containers = new Map((await engine.containers.list()).map((one) => [one.id, one.name]));
    return inspectNetwork(network, (id) => containers.get(id) ?? "");
  },
  volume: async (ctx, name) => inspectVolume(await (await ctx.engine()).volumes.inspect(name)),
};
