/** What `watch` does with a batch of changes: sync files into containers, restart, run a command, rebuild. */
import { posix, relative, sep } from "node:path";
import type { Project } from "../../compose/model.js";
import type { EngineApi } from "../../engine/api.js";
import type { ExecuteContext } from "../../execute/context.js";
import { runHookCommands } from "../../execute/operations/hooks.js";
import { ContainerWatch } from "../../execute/watch.js";
import { messageOf } from "../../lib/errors.js";
import { type Observed, type ObservedContainer, observe } from "../../plan/observe.js";
import { planRestart } from "../../plan/restart.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { bringUp } from "./bring-up.js";
import { openSession } from "./session.js";
import { tarOfPaths } from "./sync-tar.js";
import type { Rule } from "./watch-rules.js";
import type { Batch, WatchOptions } from "./watch-types.js";

/** The first sync of rules that ask for one, into containers in whatever state; nothing is taken away. */
export async function syncAtFirst(ctx: CliContext, project: Project, rules: readonly Rule[]): Promise<void> {
  const wanted = rules.filter(({ initialSync }) => initialSync);
  if (wanted.length === 0) return;
  const engine = await ctx.engine();
  const observed = await observe(engine, project.name, { resources: false });
  for (const rule of wanted) {
    const ignores = (path: string) => rule.ignoresAtFirst(path);
    if (ignores(rule.path)) continue;
    await everyContainer(containersOf(observed, rule.service), async ({ id }) => {
      const paths = [{ path: rule.path, name: inContainer(rule, rule.path).slice(1) }];
      const { stream } = await tarOfPaths(paths, ignores, { filesOnly: true });
      if (stream !== undefined) await engine.containers.copyIn(id, "/", stream, { followLinks: true });
    });
  }
}

/** Rebuilds first, then syncs, restarts and runs commands. A rebuild makes the other actions of its service needless. */
export async function applyBatch(
  ctx: CliContext,
  project: Project,
  batch: Batch,
  options: WatchOptions,
): Promise<void> {
  const rebuild = new Set([...batch.keys()].filter(({ action }) => action === "rebuild").map(({ service }) => service));
  const rest = [...batch].filter(([{ service }]) => !rebuild.has(service));
  if (rebuild.size > 0) await rebuildServices(ctx, project, [...rebuild].sort(), options);
  if (rest.length > 0) await syncAndRestart(ctx, project, rest, options);
}

/** As docker compose writes a list of names. */
function quoted(services: readonly string[]): string {
  return `[${services.map((service) => JSON.stringify(service)).join(" ")}]`;
}

async function rebuildServices(
  ctx: CliContext,
  before: Project,
  services: readonly string[],
  options: WatchOptions,
): Promise<void> {
  const { printer, signal } = options;
  const names = quoted(services);
  printer.watch(printed`Rebuilding service(s) ${names} after changes were detected...`);
  const project = await projectOfToday(ctx, before, services, options);
  await using session = await openSession(ctx, project);
  const { engine } = session;
  const old = await Promise.all(services.map((service) => imageIdOf(engine, project, service)));
  const { planBuild } = await import("../../plan/image-commands.js");
  const only = {
    ...project,
    services: Object.fromEntries(Object.entries(project.services).filter(([name]) => services.includes(name))),
    disabledServices: { ...project.disabledServices, ...project.services },
  };
  try {
    await session.run(planBuild(only, { now: Date.now(), quietBuild: options.quiet }), {
      signal,
      besideLogs: options.besideLogs === true,
    });
  } catch (error) {
    if (!signal.aborted) printer.watch(printed`Build failed. Error: ${messageOf(error)}`);
    return;
  }
  printer.watch(printed`service(s) ${names} successfully built`);
  try {
    await bringUp(session, project, {
      targets: services,
      // an equal image is no reason to keep a container whose environment may be another
      recreate: "force",
      ignoreOrphans: true,
      confirm: () => false,
      images: { pull: "missing", noBuild: true },
      run: { signal, quiet: true },
    });
  } catch (error) {
    if (!signal.aborted) printer.watch(printed`Failed to recreate services after update. Error: ${messageOf(error)}`);
    return;
  }
  if (options.prune !== false) await pruneOld(engine, old);
}

/** The project read again; what cannot be read now is told, and stays as it was. */
async function projectOfToday(
  ctx: CliContext,
  before: Project,
  services: readonly string[],
  { reload }: WatchOptions,
): Promise<Project> {
  // standard input can be read once only
  if (before.configFiles.includes("-")) return before;
  try {
    const project = await reload();
    const gone = services.filter((service) => project.services[service]?.build === undefined);
    if (project.name === before.name && gone.length === 0) return project;
    ctx.note(
      printed`warning: the project has changed in what is watched: going on as it was until watch is started anew\n`,
    );
  } catch (error) {
    ctx.note(printed`warning: ${messageOf(error)}: going on with the project as it was\n`);
  }
  return before;
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
  const { printer, signal } = options;
  const engine = await ctx.engine();
  const observed = await observe(engine, project.name, { resources: false });
  const counts = new Map<string, number>();
  const restarts = new Set<string>();
  for (const [rule, paths] of changes) {
    if (containersOf(observed, rule.service).length === 0) {
      printer.watch(printed`service "${rule.service}" has no container: nothing is done for ${rule.path}`);
      continue;
    }
    if (rule.action !== "restart") counts.set(rule.service, (counts.get(rule.service) ?? 0) + paths.size);
    if (rule.action === "restart" || rule.action === "sync+restart") restarts.add(rule.service);
  }
  for (const [service, count] of counts) {
    printer.watch(printed`Syncing service "${service}" after ${count} changes were detected`);
  }
  for (const [rule, paths] of changes) {
    if (rule.action === "restart") continue;
    await everyContainer(containersOf(observed, rule.service), ({ id }) => syncInto(engine, id, rule, paths));
  }
  if (restarts.size > 0) {
    const services = [...restarts].sort();
    await using session = await openSession(ctx, project);
    await session.run(planRestart(observed, { services, project }), { quiet: true, signal });
    printer.watch(printed`service(s) ${quoted(services)} restarted`);
  }
  const commands = changes.flatMap(([{ service, action, exec }]) =>
    action === "sync+exec" && exec !== undefined ? [{ service, commands: [exec] }] : [],
  );
  if (commands.length === 0) return;
  const watch = new ContainerWatch(engine);
  try {
    for (const hooks of commands) {
      for (const container of containersOf(observed, hooks.service).filter(({ info }) => info.state === "running")) {
        const context: ExecuteContext = {
          engine,
          project: project.name,
          emit: (event) => {
            if (event.type === "output") printer.bare(event.stream, event.text);
          },
          signal,
          ids: new Map(),
          providerEnv: new Map(),
          watch,
          cwd: project.workingDir,
          env: ctx.env,
          callerEnv: ctx.env,
        };
        await runHookCommands(context, container.id, container.name, hooks);
      }
    }
  } finally {
    watch.close();
  }
}

/** In whatever state: files go into stopped containers as well, and are there when they start. */
function containersOf(observed: Observed, service: string): readonly ObservedContainer[] {
  return observed.containers.filter((container) => container.service === service && !container.oneOff);
}

/** Each container gets its try before the first failure is thrown. */
async function everyContainer(
  containers: readonly ObservedContainer[],
  work: (container: ObservedContainer) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(containers.map(work));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Where a host path lies in the container, absolute. */
function inContainer(rule: Rule, path: string): string {
  return posix.resolve("/", rule.target, relative(rule.path, path).split(sep).join("/"));
}

/** Takes away what is gone, then copies what is there: a file may have taken a folder's place. */
async function syncInto(engine: EngineApi, id: string, rule: Rule, paths: ReadonlySet<string>): Promise<void> {
  const { stream, missing } = await tarOfPaths(
    [...paths].map((path) => ({ path, name: inContainer(rule, path).slice(1) })),
    (path) => rule.ignores(path),
  );
  const removed = topmost(missing);
  if (removed.length > 0) await engine.containers.removePaths(id, removed);
  if (stream !== undefined) await engine.containers.copyIn(id, "/", stream, { followLinks: true });
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
