/** What `watch` does with a batch of changes: sync files into containers, restart, run a command, rebuild. */
import { posix, relative, sep } from "node:path";
import type { Project } from "../../compose/model.js";
import type { EngineApi } from "../../engine/api.js";
import { runHookCommands } from "../../execute/operations/hooks.js";
import { ContainerWatch } from "../../execute/watch.js";
import { printable } from "../../lib/printable.js";
import { type ObservedContainer, observe } from "../../plan/observe.js";
import { planRestart } from "../../plan/restart.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { bringUp } from "./bring-up.js";
import { openSession } from "./session.js";
import { tarOfPaths } from "./sync-tar.js";
import type { Batch, WatchOptions } from "./watch.js";
import type { Rule } from "./watch-rules.js";

/** A rebuild makes the other actions of its service needless. */
export async function applyBatch(
  ctx: CliContext,
  project: Project,
  batch: Batch,
  options: WatchOptions,
): Promise<void> {
  const rebuild = new Set([...batch.keys()].filter(({ action }) => action === "rebuild").map(({ service }) => service));
  const rest = [...batch].filter(([{ service }]) => !rebuild.has(service));
  if (rest.length > 0) await syncAndRestart(ctx, project, rest, options);
  if (rebuild.size > 0) await rebuildServices(ctx, project, [...rebuild].sort(), options);
}

async function rebuildServices(
  ctx: CliContext,
  project: Project,
  services: readonly string[],
  options: WatchOptions,
): Promise<void> {
  ctx.note(printed`Rebuilding service(s) ${JSON.stringify(services)} after changes were detected...\n`);
  await using session = await openSession(ctx, project);
  const { engine } = session;
  const before = await Promise.all(services.map((service) => imageIdOf(engine, project, service)));
  const { planBuild } = await import("../../plan/image-commands.js");
  const only = {
    ...project,
    services: Object.fromEntries(Object.entries(project.services).filter(([name]) => services.includes(name))),
    disabledServices: { ...project.disabledServices, ...project.services },
  };
  await session.run(planBuild(only, { now: Date.now(), quietBuild: options.quiet }), {
    signal: options.signal,
    besideLogs: options.besideLogs === true,
  });
  await bringUp(session, project, {
    targets: services,
    ignoreOrphans: true,
    confirm: () => false,
    run: { signal: options.signal, quiet: options.quiet },
  });
  if (options.prune !== false) await pruneOld(engine, before);
  ctx.note(printed`service(s) ${JSON.stringify(services)} successfully built\n`);
}

async function imageIdOf(engine: EngineApi, project: Project, service: string): Promise<string | undefined> {
  const { imageName } = await import("../../plan/names.js");
  const config = project.services[service];
  if (config === undefined) return undefined;
  return (await engine.images.find(imageName(project.name, service, config), config.platform))?.id;
}

/** Removes images that the rebuild left without a name. */
async function pruneOld(engine: EngineApi, ids: readonly (string | undefined)[]): Promise<void> {
  for (const id of ids) {
    if (id === undefined) continue;
    const image = await engine.images.find(id);
    if (image === undefined || image.tags.length > 0) continue;
    // Still used by a container that is kept: then it stays.
    await engine.images.remove(id).catch(() => undefined);
  }
}

async function syncAndRestart(
  ctx: CliContext,
  project: Project,
  changes: readonly (readonly [Rule, ReadonlySet<string>])[],
  options: WatchOptions,
): Promise<void> {
  const engine = await ctx.engine();
  const observed = await observe(engine, project.name, { resources: false });
  const running = (service: string): ObservedContainer[] =>
    observed.containers.filter((c) => c.service === service && !c.oneOff && c.info.state === "running");
  const counts = new Map<string, number>();
  const restarts = new Set<string>();
  for (const [rule, paths] of changes) {
    if (rule.action !== "restart") counts.set(rule.service, (counts.get(rule.service) ?? 0) + paths.size);
    if (rule.action === "restart" || rule.action === "sync+restart") restarts.add(rule.service);
  }
  for (const [service, count] of counts) {
    ctx.note(printed`Syncing service "${service}" after ${count} change${count === 1 ? " was" : "s were"} detected\n`);
  }
  for (const [rule, paths] of changes) {
    if (rule.action === "restart") continue;
    await Promise.all(running(rule.service).map((container) => syncInto(engine, container, rule, paths)));
  }
  if (restarts.size > 0) {
    const services = [...restarts].sort();
    await using session = await openSession(ctx, project);
    await session.run(planRestart(observed, { services, project }, { noDependencies: true }), {
      quiet: true,
      signal: options.signal,
    });
    ctx.note(printed`service(s) ${JSON.stringify(services)} restarted\n`);
  }
  for (const [rule] of changes) {
    if (rule.action !== "sync+exec" || rule.exec === undefined) continue;
    const watch = new ContainerWatch(engine);
    try {
      for (const container of running(rule.service)) {
        const context = {
          engine,
          project: project.name,
          emit: (event: { type: string; text?: string }) => {
            if (event.type === "output") ctx.note(printed`${container.name} | ${event.text ?? ""}\n`);
          },
          signal: options.signal,
          ids: new Map<string, string>(),
          providerEnv: new Map<string, Record<string, string>>(),
          watch,
          cwd: project.workingDir,
          env: ctx.env,
          callerEnv: ctx.env,
        };
        await runHookCommands(context, container.id, container.name, { service: rule.service, commands: [rule.exec] });
      }
    } finally {
      watch.close();
    }
  }
}

/** Paths given to one `rm`: far below what a command line may hold. */
const REMOVED_AT_ONCE = 500;

/** Removes what is gone, then copies what is there: a file may have taken a folder's place. */
async function syncInto(
  engine: EngineApi,
  container: ObservedContainer,
  rule: Rule,
  paths: ReadonlySet<string>,
): Promise<void> {
  const inContainer = (path: string): string => {
    const inside = relative(rule.path, path).split(sep).join("/");
    return inside === "" ? rule.target : posix.join(rule.target, inside);
  };
  const { stream, missing } = await tarOfPaths(
    [...paths].map((path) => ({ path, name: inContainer(path).replace(/^\/+/, "") })),
    (path) => rule.ignores(path),
  );
  const gone = topmost(missing);
  for (let i = 0; i < gone.length; i += REMOVED_AT_ONCE) {
    await removeFrom(engine, container, gone.slice(i, i + REMOVED_AT_ONCE));
  }
  if (stream !== undefined) await engine.containers.copyIn(container.id, "/", stream);
}

async function removeFrom(engine: EngineApi, container: ObservedContainer, paths: readonly string[]): Promise<void> {
  await using session = await engine.containers.exec(container.id, { argv: ["rm", "-rf", "--", ...paths], user: "0" });
  let said = "";
  for await (const { data } of session.output) if (said.length < 1000) said += Buffer.from(data).toString();
  const code = await session.exit;
  if (code === 0) return;
  const [path = ""] = paths;
  const others = paths.length === 1 ? "" : ` and ${paths.length - 1} more`;
  throw new Error(`${container.name}: removing ${path}${others} ended with ${code}: ${printable(said)}`);
}

/** Absolute paths without those below another one. */
function topmost(names: readonly string[]): readonly string[] {
  const kept: string[] = [];
  // `a/` sorts behind `a`, and before anything else that begins with it
  for (const path of names.map((name) => `/${name}/`).sort()) {
    const last = kept.at(-1);
    if (last === undefined || !path.startsWith(last)) kept.push(path);
  }
  return kept.map((path) => path.slice(0, -1));
}
