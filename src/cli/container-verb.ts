/** `container VERB CONTAINER...`: one work on each container, its name printed when it is done, failures told at the end. */
import type { Engine } from "../engine/index.js";
import type { ContainerInfo } from "../engine/types.js";
import type { CommandSpec, OptionSpec, ParsedOptions } from "./command.js";
import { forEachName } from "./inspect.js";

/** A verb of `container` that treats its containers one by one, whatever project they are of; `work` gets each as it is then. */
export interface ContainerVerb {
  readonly verb: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly example?: string;
  readonly options: readonly OptionSpec[];
  /** A text is printed in place of the container's name. */
  readonly work: (
    engine: Engine,
    container: ContainerInfo,
    options: ParsedOptions,
    signal: AbortSignal,
  ) => Promise<string> | Promise<void>;
}

/** The command of such a verb. */
export function containersCommand({ verb, aliases, summary, example, options, work }: ContainerVerb): CommandSpec {
  return {
    name: `container ${verb}`,
    ...(aliases === undefined ? {} : { aliases: aliases.map((alias) => `container ${alias}`) }),
    summary,
    example: example ?? `tscompose container ${verb} demo-web-1`,
    args: [{ name: "CONTAINER", required: true, variadic: true, complete: "container" }],
    options,
    run: async (ctx, names, parsed) => {
      const engine = await ctx.engine();
      return await forEachName(ctx, names, async (name) => {
        const container = await engine.containers.inspect(name);
        const said = await work(engine, container, parsed, ctx.signal);
        return typeof said === "string" ? said : name;
      });
    },
  };
}
