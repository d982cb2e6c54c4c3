/** `… inspect`: prints what was found, then fails for what was not. */
import { sharedContainers } from "../engine/sharing.js";
import { type TscError, throwAll } from "../lib/errors.js";
import { asTscError } from "../lib/system-error.js";
import type { CliContext } from "./context.js";
import { joined, printed, printedJson } from "./render/printed.js";

/** Prints a JSON array (or a line per object for a template); missing objects are errors after the rest was printed. */
export async function inspectAll<T>(
  ctx: CliContext,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => Promise<T>,
): Promise<number> {
  const found: T[] = [];
  const errors: TscError[] = [];
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      errors.push(asTscError(error));
    }
  }
  if (format === undefined || format === "") ctx.print(joined([printedJson(found, 4), printed`\n`]));
  else if (format === "json") ctx.print(joined([printedJson(found), printed`\n`]));
  else {
    const { compileTemplate } = await import("./render/template.js");
    const template = compileTemplate(format);
    for (const one of found) ctx.print(joined([template(one), printed`\n`]));
  }
  throwAll(errors);
  return 0;
}

/** docker's object of a container. */
export async function containerObject(ctx: CliContext, name: string): Promise<object> {
  const engine = await ctx.engine();
  const info = await engine.containers.inspect(name);
  const networks = await engine.networks.list();
  const { inspectContainer } = await import("./render/inspect-container.js");
  const donors = new Map<string, string>();
  for (const { container } of sharedContainers(info.spec)) {
    // one that is gone stays what it was called
    const donor = await engine.containers.inspect(container).catch(() => undefined);
    if (donor !== undefined) donors.set(container, donor.id);
  }
  return inspectContainer(info, new Map(networks.map((network) => [network.name, network.id])), donors);
}

/** Runs `work` for every name, prints what each returns, and reports all failures at the end. */
export async function forEachName(
  ctx: CliContext,
  names: readonly string[],
  work: (name: string) => Promise<string>,
): Promise<number> {
  const errors: TscError[] = [];
  for (const name of names) {
    try {
      const line = await work(name);
      if (line !== "") ctx.print(printed`${line}\n`);
    } catch (error) {
      errors.push(asTscError(error));
    }
  }
  throwAll(errors);
  return 0;
}
