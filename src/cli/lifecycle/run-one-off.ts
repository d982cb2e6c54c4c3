/** The work of `run`: dependencies up, container made, joined, its exit code returned. */
import { randomBytes } from "node:crypto";
import type { Project, Service } from "../../compose/model.js";
import { noSuchService } from "../../compose/no-such-service.js";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { withDefaultPlatforms } from "../../plan/build-platforms.js";
import { imageReferences } from "../../plan/images.js";
import { observe } from "../../plan/observe.js";
import { planOneOff } from "../../plan/one-off.js";
import { PlanBuilder } from "../../plan/plan.js";
import { hooksOf } from "../../plan/selection.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { confirmRemoteStack } from "../remote-stack.js";
import { printed, printedWord } from "../render/printed.js";
import { checkTty, chooseTty } from "../tty.js";
import { bringUp, separatorOf } from "./bring-up.js";
import { joinContainer, removeQuietly } from "./join-container.js";
import { orphanRules, pullPolicy } from "./options.js";
import { changedService, labelsOf } from "./run-overrides.js";
import { openSession, type RunOptions, type Session } from "./session.js";

/** The exit code of the command in the container; 0 when detached. */
export async function runOneOff(
  ctx: CliContext,
  service: string,
  argv: readonly string[],
  options: ParsedOptions,
): Promise<number> {
  const noDependencies = options.flag("no-deps");
  const loaded = await ctx.project({ services: [service], noDependencies });
  const config = loaded.services[service];
  if (config === undefined) {
    throw noSuchService(service);
  }
  await confirmRemoteStack(ctx, loaded, false);
  const changed = await changedService(ctx, loaded, config, argv, options);
  const project: Project = withDefaultPlatforms({ ...loaded, services: { ...loaded.services, [service]: changed } });
  const detach = options.flag("detach");
  const quiet: RunOptions = options.flag("quiet") ? { quiet: true } : {};
  const tty = chooseTty(ctx, options);
  const interactive = options.flag("interactive");
  const mode = { tty, stdin: interactive };
  if (!detach) checkTty(ctx, mode);
  // a build that was asked for is logged where docker compose does; one that was merely needed leaves the output to the command
  const session = await openSession(ctx, project, { beforeResult: !options.flag("build") });
  try {
    await prepare(session, project, service, options, quiet);
    const separator = separatorOf(ctx);
    const observed = await observe(session.engine, project.name, { images: imageReferences(project, separator) });
    const name = options.text("name");
    const { plan, name: containerName } = planOneOff(project, observed, {
      service,
      slug: randomBytes(6).toString("hex"),
      ...(name === undefined || name === "" ? {} : { name }),
      separator,
      publish: options.flag("service-ports") || options.list("publish").length > 0,
      useAliases: options.flag("use-aliases"),
      removal: !options.flag("rm") ? "none" : detach ? "engine" : "command",
      stdinOpen: interactive,
      stdinOnce: interactive && !detach,
      tty,
      labels: labelsOf(options),
      waitForDependencies: !noDependencies,
    });
    const { ids } = await session.run(plan, quiet);
    await session.endProgress();
    if (ctx.globals.dryRun) return 0;
    await session.unlock();
    const id = ids.get(containerName);
    if (id === undefined) throw new TscError("TSC_INTERNAL", `container ${containerName} was not made`);
    const target = { id, name: containerName, service };
    if (detach) {
      await start(session, project, target);
      ctx.print(printed`${id}\n`);
      return 0;
    }
    try {
      return await joinContainer(ctx, session.engine, id, mode, () => start(session, project, target));
    } finally {
      if (options.flag("rm")) await removeQuietly(session.engine, id);
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

interface Target {
  readonly id: string;
  readonly name: string;
  readonly service: string;
}

/** Images of all, then networks, volumes and the dependencies' containers. The service itself is not brought up. */
async function prepare(
  session: Session,
  project: Project,
  service: string,
  options: ParsedOptions,
  run: RunOptions,
): Promise<void> {
  const { ctx } = session;
  const target: Service | undefined = project.services[service];
  const services = Object.fromEntries(Object.entries(project.services).filter(([name]) => name !== service));
  const images = {
    pull: pullPolicy(options, ["always", "missing", "never"]),
    build: options.flag("build"),
    quietPull: options.flag("quiet-pull"),
    quietBuild: options.flag("quiet-build"),
  };
  const { planImages } = await import("../../plan/images.js");
  const { observeImages } = await import("../../plan/observe.js");
  const { imageOptions } = await import("../../project/bring-up.js");
  const separator = separatorOf(ctx);
  const stored = await observeImages(session.engine, imageReferences(project, separator));
  await session.run(planImages(project, stored, imageOptions(project, { images, separator })), run);
  await bringUp(
    session,
    {
      ...project,
      services,
      disabledServices: {
        ...project.disabledServices,
        ...(target === undefined ? {} : { [service]: target }),
      },
    },
    {
      ...orphanRules(options, { ...project.environment, ...ctx.env }),
      // Brought above; building again would repeat the work.
      images: { pull: "missing", noBuild: !ctx.globals.dryRun },
      confirm: (question) => ctx.confirm(printedWord(question), false),
      run,
    },
  );
}

async function start(session: Session, project: Project, target: Target): Promise<void> {
  const plan = new PlanBuilder(project.name);
  const postStart = hooksOf(project, target.service, "post_start");
  plan.add(
    { resource: `container ${target.name}`, cause: "run" },
    { kind: "start-container", container: target, ...given({ postStart }) },
  );
  await session.run(plan.build(), { quiet: true, containerExitCodes: true });
}
