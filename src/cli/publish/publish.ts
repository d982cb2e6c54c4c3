/**
 * The work of `publish`: asks before anything sensitive leaves the machine, pushes built images, then the compose files as an OCI artifact
 * that `-f oci://…` of docker compose reads.
 */
import { readFile } from "node:fs/promises";
import type { Project } from "../../compose/model.js";
import type { ArtifactFile } from "../../engine/api.js";
import { COMPOSE_FILE_TYPE, ENV_FILE_TYPE } from "../../execute/remote/media-types.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { tellDryRun } from "../dry-run.js";
import { usage } from "../usage.js";
import { VERSION } from "../version.js";
import {
  bindMountQuestion,
  contentQuestion,
  environmentQuestion,
  findSecrets,
  secretQuestion,
  textsOfEnvFile,
  textsOfModel,
} from "./findings.js";
import { readSources, type Sources } from "./source-files.js";

/** What docker compose calls the parts of such an artifact. */
const ARTIFACT_TYPE = "application/vnd.docker.compose.project";
const EMPTY_CONFIG_TYPE = "application/vnd.docker.compose.config.empty.v1+json";

/** Publishes; refusing a question ends with 130 and nothing sent. */
export async function publish(ctx: CliContext, reference: string, options: ParsedOptions): Promise<number> {
  const version = options.text("oci-version");
  if (version !== undefined && version !== "" && version !== "1.0" && version !== "1.1") {
    throw usage(`unsupported OCI version: ${version}`, "use 1.0 or 1.1");
  }
  if (options.flag("insecure-registry")) {
    ctx.warn("--insecure-registry has no effect: name the registry under insecure = true in registries.conf");
  }
  const project = await ctx.project({ allProfiles: true });
  refuseBuildOnly(project);
  const sources = await readSources(project.configFiles, project.workingDir);
  await askAbout(ctx, project, sources, options);
  const { openSession } = await import("../lifecycle/session.js");
  const { planPush } = await import("../../plan/image-commands.js");
  await using session = await openSession(ctx, project, { lock: false });
  await session.run(planPush(project, { ignoreFailures: true, quiet: false }));
  const files = await artifactFiles(ctx, project, sources, options);
  if (ctx.globals.dryRun) {
    const names = files.map(({ annotations }) => annotations?.["com.docker.compose.file"] ?? "env file");
    tellDryRun(ctx, reference, "publishing");
    tellDryRun(ctx, reference, `published ${names.join(" ")}`);
    return 0;
  }
  await session.endProgress();
  const images = options.flag("app") ? await imagesOf(ctx, project) : undefined;
  const { withItemProgress } = await import("../engine-progress.js");
  await withItemProgress(ctx, { id: reference, doing: "publishing", done: "published" }, async () => {
    await session.engine.images.pushArtifact({
      reference,
      artifactType: ARTIFACT_TYPE,
      emptyConfigType: EMPTY_CONFIG_TYPE,
      files,
      annotations: { "com.docker.compose.version": VERSION },
      signal: ctx.signal,
      ...(version === "1.0" || version === "1.1" ? { ociVersion: version } : {}),
      ...given({ images }),
    });
  });
  return 0;
}

function refuseBuildOnly(project: Project): void {
  const services = Object.entries(project.services)
    .filter(([, { image, build }]) => (image ?? "") === "" && build !== undefined)
    .map(([name]) => `- "${name}"`);
  if (services.length === 0) return;
  throw new TscError(
    "TSC_PUBLISH_BUILD_ONLY",
    `your Compose stack cannot be published as it only contains a build section for service(s):\n${services.join("\n")}`,
    { kind: "invalid-input", hint: "give them an image name to push to" },
  );
}

async function askAbout(ctx: CliContext, project: Project, sources: Sources, options: ParsedOptions): Promise<void> {
  const secrets = await secretsOf(project, sources);
  const questions = [
    bindMountQuestion(project),
    secretQuestion(secrets),
    options.flag("with-env") ? undefined : environmentQuestion(sources.files),
    contentQuestion(sources.files),
  ];
  for (const question of questions) {
    if (question === undefined || options.flag("yes")) continue;
    if (await ctx.confirm(question, false)) continue;
    throw new TscError("TSC_CANCELLED", "nothing was published", { kind: "cancelled" });
  }
}

/** Looks into everything that the artifact would carry or name: compose files, env files, files of configs and secrets. */
async function secretsOf(project: Project, sources: Sources) {
  const named = [...Object.values(project.configs), ...Object.values(project.secrets)].flatMap(
    ({ file }) => file ?? [],
  );
  const [envFiles, others] = await Promise.all(
    [[...sources.envFiles.keys()], [...new Set(named)]].map((paths) =>
      Promise.all(paths.map(async (path) => ({ path, text: await textOf(path) }))),
    ),
  );
  return findSecrets([
    ...sources.files.flatMap(({ path, model, text }) => textsOfModel(path, model, text)),
    ...(envFiles ?? []).flatMap(({ path, text }) => textsOfEnvFile(path, text)),
    ...(others ?? []).map(({ path, text }) => ({ place: path, text })),
  ]);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

async function artifactFiles(
  ctx: CliContext,
  project: Project,
  sources: Sources,
  options: ParsedOptions,
): Promise<readonly ArtifactFile[]> {
  const file = (name: string, text: string, extra: Readonly<Record<string, string>> = {}): ArtifactFile => ({
    mediaType: COMPOSE_FILE_TYPE,
    data: Buffer.from(text),
    annotations: { "com.docker.compose.version": VERSION, "com.docker.compose.file": name, ...extra },
  });
  const files = sources.files.map(({ name, text, isParent }) =>
    file(name, text, isParent ? { "com.docker.compose.extends": "true" } : {}),
  );
  if (options.flag("with-env")) {
    for (const [path, name] of sources.envFiles) {
      files.push({
        mediaType: ENV_FILE_TYPE,
        data: await readFile(path),
        annotations: { "com.docker.compose.version": VERSION, "com.docker.compose.envfile": name },
      });
    }
  }
  if (options.flag("resolve-image-digests")) {
    const engine = await ctx.engine();
    const { treeYaml } = await import("../../compose/index.js");
    const services: Record<string, { image: string }> = {};
    for (const [name, { image }] of Object.entries(project.services)) {
      if (image === undefined || image === "") continue;
      services[name] = { image: image.includes("@") ? image : `${image}@${await engine.images.resolveDigest(image)}` };
    }
    files.push(file("image-digests.yaml", await treeYaml({ services })));
  }
  return files;
}

/** The services' images, here: what is missing is pulled. */
async function imagesOf(ctx: CliContext, project: Project): Promise<readonly string[]> {
  const engine = await ctx.engine();
  const names = Object.values(project.services).flatMap(({ image }) => image ?? []);
  for (const name of new Set(names)) {
    if ((await engine.images.find(name)) !== undefined) continue;
    const { withEngineProgress } = await import("../engine-progress.js");
    await withEngineProgress(ctx, false, (onProgress) => engine.images.pull(name, { onProgress, signal: ctx.signal }));
  }
  return names;
}
