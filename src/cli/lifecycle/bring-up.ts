/** `bringUp` of src/project with this program's session: progress, dry run, `--compatibility`. No flags are read here. */
import type { Project } from "../../compose/model.js";
import type { Separator } from "../../plan/names.js";
import * as project from "../../project/bring-up.js";
import type { CliContext } from "../context.js";
import type { RunOptions, Session } from "./session.js";

/** The rules of src/project's `bringUp`, whose separator comes from `--compatibility`, and how its plans are run. */
export type BringUpOptions = Omit<project.BringUpOptions, "separator"> & { readonly run?: RunOptions };

/** Makes reality match the project. */
export async function bringUp(session: Session, wanted: Project, options: BringUpOptions): Promise<void> {
  const { run, ...rules } = options;
  const { ctx, engine } = session;
  await project.bringUp({ engine, dryRun: ctx.globals.dryRun, run: (plan) => session.run(plan, run) }, wanted, {
    ...rules,
    separator: separatorOf(ctx),
  });
}

/** `_` in names with `--compatibility`. */
export function separatorOf(ctx: CliContext): Separator {
  return ctx.globals.compatibility ? "_" : "-";
}
