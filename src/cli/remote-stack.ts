/** Before a stack of somebody else is started: where it comes from, what fills its variables, and whether to go on. */
import type { Project } from "../compose/model.js";
import { TscError } from "../lib/errors.js";
import type { CliContext } from "./context.js";
import { loadOptions } from "./load-options.js";
import { isRemote } from "./remotes.js";
import { joined, printed, printedWord } from "./render/printed.js";
import { renderTable } from "./render/table.js";

/**
 * Tells of a project whose first file is remote and asks as docker compose does; nothing for any other. `TSC_CANCELLED` for no.
 */
export async function confirmRemoteStack(ctx: CliContext, project: Project, assumesYes: boolean): Promise<void> {
  const [main] = ctx.globals.files;
  if (main === undefined || !isRemote(main)) return;
  const raw = await readRaw(ctx);
  if (raw.includesRemote && !assumesYes) {
    const files = ctx.globals.files.filter(isRemote).map((file) => printed`  - ${file}\n`);
    ctx.print(printed`\nWarning: This Compose project includes files from remote sources:\n`);
    ctx.print(joined(files));
    ctx.print(printed`\nRemote includes could potentially be malicious. Make sure you trust the source.\n`);
    await ask(ctx, "Do you want to continue?", false);
  }
  if (ctx.globals.progress !== "quiet" && ctx.globals.progress !== "json") {
    ctx.print(printed`Your compose stack ${JSON.stringify(main)} is stored in ${JSON.stringify(project.workingDir)}\n`);
  }
  if (assumesYes || raw.variables.length === 0) return;
  const rows = raw.variables.map(({ name, defaultValue, isRequired }) => {
    const [value, source] = filledWith(project, name, defaultValue);
    return [name, value, source, isRequired ? "yes" : "no", defaultValue];
  });
  ctx.print(printed`\nFound the following variables in configuration:\n`);
  const header = ["VARIABLE", "VALUE", "SOURCE", "REQUIRED", "DEFAULT"];
  ctx.print(renderTable([header, ...rows], { minWidth: 0, padding: 3 }));
  ctx.print(printed`\n`);
  await ask(ctx, "Do you want to proceed with these variables?", true);
}

async function ask(ctx: CliContext, question: string, fallback: boolean): Promise<void> {
  if (await ctx.confirm(printedWord(question), fallback, { besideResults: true })) return;
  throw new TscError("TSC_CANCELLED", "operation cancelled by user", {
    kind: "cancelled",
    exitCode: 1,
    hint: "--yes goes on without asking",
  });
}

function filledWith(project: Project, name: string, defaultValue: string): readonly [value: string, source: string] {
  if (Object.hasOwn(project.environment, name)) return [project.environment[name] ?? "", "environment"];
  return defaultValue === "" ? ["<unset>", "none"] : [defaultValue, "compose file"];
}

interface RawStack {
  readonly variables: readonly { readonly name: string; readonly defaultValue: string; readonly isRequired: boolean }[];
  readonly includesRemote: boolean;
}

/** What the files say before variables are filled in. */
async function readRaw(ctx: CliContext): Promise<RawStack> {
  const { loadModel, variablesOf } = await import("../compose/index.js");
  const base = loadOptions({ ...ctx, engine: () => ctx.engine(), warn: () => undefined });
  const loaded = new Set<string>();
  const remotes = (base.remotes ?? []).map((loader) => ({
    ...loader,
    load(reference: string) {
      loaded.add(reference);
      return loader.load(reference);
    },
  }));
  // with its variables filled in, an include may be another one
  await loadModel({ ...base, remotes });
  const { tree } = await loadModel({ ...base, remotes, noInterpolate: true });
  const variables = [...variablesOf(tree).values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, defaultValue, required }) => ({ name, defaultValue, isRequired: required }));
  return { variables, includesRemote: [...loaded].some((reference) => !ctx.globals.files.includes(reference)) };
}
