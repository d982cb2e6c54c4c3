/** What `config` prints. Loads by itself because its flags switch phases of the loader off. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { LoadOptions, Project } from "../compose/index.js";
import { noSuchService } from "../compose/no-such-service.js";
import { callerFileMode } from "../lib/caller.js";
import { goJson } from "../lib/go-json.js";
import type { ParsedOptions } from "./command.js";
import type { CliContext } from "./context.js";
import { loadOptions } from "./load-options.js";
import { printedJsonText, printedLines, printedText } from "./render/printed.js";
import { checkServices } from "./select.js";
import { usage } from "./usage.js";

/** Runs `config` with its parsed flags; the first list flag wins, as in docker compose. */
export async function showConfig(
  ctx: CliContext,
  services: readonly string[],
  options: ParsedOptions,
): Promise<number> {
  const compose = await import("../compose/index.js");
  const base: LoadOptions = {
    ...loadOptions(ctx),
    noInterpolate: options.flag("no-interpolate"),
    noNormalize: options.flag("no-normalize") || ctx.globals.compatibility,
    noPathResolution: options.flag("no-path-resolution"),
    noConsistency: options.flag("no-consistency"),
    noEnvResolution: options.flag("no-env-resolution"),
  };
  if (options.flag("variables")) return await showVariables(ctx, base, services, options);
  const listing = LISTS.find(([flag]) => (flag === "hash" ? (options.text("hash") ?? "") !== "" : options.flag(flag)));
  if (listing !== undefined) {
    const [flag, list] = listing;
    const selected = flag === "images" || flag === "environment" ? services : [];
    const project = await compose.loadProject({
      ...base,
      services: selected,
      noEnvResolution: true,
      sharedNames: true,
      ...(flag === "profiles" ? { allProfiles: false } : {}),
    });
    const resolve = (names: readonly string[]) =>
      compose.loadProject({ ...base, services: names, noDependencies: true, sharedNames: true });
    const lines = await list(project, options, resolve);
    if (!options.flag("quiet")) ctx.print(printedLines(lines));
    return 0;
  }
  const format = options.text("format") || "yaml";
  if (format !== "yaml" && format !== "json") {
    throw usage(`unsupported format "${format}"`, "use yaml or json");
  }
  const text = options.flag("no-interpolate")
    ? await rawText(ctx, base, services, options, format)
    : await projectText(ctx, base, services, options, format);
  if (options.flag("quiet")) return 0;
  const output = options.text("output") ?? "";
  if (output === "") ctx.print(format === "json" ? printedJsonText(text) : printedText(text));
  else await writeFile(resolve(ctx.cwd, output), text, { mode: callerFileMode(ctx.env) });
  return 0;
}

async function projectText(
  ctx: CliContext,
  base: LoadOptions,
  services: readonly string[],
  options: ParsedOptions,
  format: "yaml" | "json",
): Promise<string> {
  const { loadProject, toConfigJson, toConfigYaml } = await import("../compose/index.js");
  const loaded = await loadProject({ ...base, services });
  const isLock = options.flag("lock-image-digests");
  const pinned = isLock || options.flag("resolve-image-digests") ? await pinImages(ctx, loaded) : loaded;
  const project = isLock ? imagesOnly(pinned) : pinned;
  // the text would only be thrown away
  if (options.flag("quiet")) return "";
  if (!isLock) return format === "json" ? toConfigJson(project) : await toConfigYaml(project);
  const { toServicesText } = await import("../compose/index.js");
  return await toServicesText(project, format);
}

async function rawText(
  ctx: CliContext,
  base: LoadOptions,
  services: readonly string[],
  options: ParsedOptions,
  format: "yaml" | "json",
): Promise<string> {
  if (services.length > 0) {
    ctx.warn("service filtering is not applied when --no-interpolate is set, the full model will be rendered");
  }
  const { loadModel, loadProject, lockTree, pinTree, toModelText } = await import("../compose/index.js");
  const { tree } = await loadModel(base);
  const isLock = options.flag("lock-image-digests");
  if (!isLock && !options.flag("resolve-image-digests")) return toModelText(tree, format);
  // a digest belongs to an image whose name is known: variables in it are replaced
  const { services: pinned } = await pinImages(ctx, await loadProject({ ...base, noInterpolate: false }));
  const images = Object.fromEntries(Object.entries(pinned).map(([name, { image }]) => [name, image]));
  return toModelText(isLock ? lockTree(tree, images) : pinTree(tree, images), format);
}

/** Images by the digest that their registry has now. */
async function pinImages(ctx: CliContext, project: Project): Promise<Project> {
  const engine = await ctx.engine();
  const services = await Promise.all(
    Object.entries(project.services).map(async ([name, service]) => {
      if (service.image === undefined || service.image === "" || service.image.includes("@")) return [name, service];
      const digest = await engine.images.resolveDigest(service.image);
      return [name, { ...service, image: `${service.image}@${digest}` }];
    }),
  );
  return { ...project, services: Object.fromEntries(services) };
}

function imagesOnly(project: Project): Project {
  const services = Object.entries(project.services)
    .filter(([, service]) => service.image !== undefined)
    .map(([name, { image }]) => [name, { image }]);
  return { ...project, services: Object.fromEntries(services), networks: {}, volumes: {}, secrets: {}, configs: {} };
}

type Lister = (
  project: Project,
  options: ParsedOptions,
  /** The project again, with the env files of these services read; of all without any. */
  resolve: (names: readonly string[]) => Promise<Project>,
) => readonly string[] | Promise<readonly string[]>;

const sorted = (record: object) => Object.keys(record).toSorted();

const LISTS: readonly (readonly [flag: string, list: Lister])[] = [
  ["services", (project) => sorted(project.services)],
  ["volumes", (project) => sorted(project.volumes)],
  ["networks", (project) => sorted(project.networks)],
  ["models", models],
  ["hash", hashes],
  ["profiles", profiles],
  ["images", images],
  ["environment", (project) => sorted(project.environment).map((key) => `${key}=${project.environment[key] ?? ""}`)],
];

/** What runs them, not their keys. */
function models(project: Project): readonly string[] {
  const named = Object.values(project.models).flatMap(({ model }) => model ?? []);
  return named.toSorted();
}

/** As the newest docker compose: env files count, those of other services need not be there, and a default platform is the built service's. */
async function hashes(
  project: Project,
  options: ParsedOptions,
  resolve: (names: readonly string[]) => Promise<Project>,
): Promise<readonly string[]> {
  const [{ serviceHash }, { withDefaultPlatforms }] = await Promise.all([
    import("../plan/hash.js"),
    import("../plan/build-platforms.js"),
  ]);
  const wanted = options.text("hash") ?? "*";
  const names = wanted === "*" ? sorted(project.services) : wanted.split(",").toSorted();
  checkServices(project, names);
  for (const name of names) {
    if (project.services[name] !== undefined) continue;
    const profiles = project.disabledServices[name]?.profiles ?? [];
    throw noSuchService(`${name}: disabled`, `its profiles are not active: ${profiles.join(", ")}`);
  }
  if (names.length === 0) return [];
  const resolved = withDefaultPlatforms(await resolve(wanted === "*" ? [] : names));
  return names.flatMap((name) => {
    const service = resolved.services[name];
    return service === undefined ? [] : [`${name} ${serviceHash(service)}`];
  });
}

function profiles(project: Project): readonly string[] {
  const all = [...Object.values(project.services), ...Object.values(project.disabledServices)];
  return [...new Set(all.flatMap((service) => service.profiles ?? []))].toSorted();
}

async function images(project: Project): Promise<readonly string[]> {
  const { imageName } = await import("../plan/names.js");
  return sorted(project.services).flatMap((name) => {
    const service = project.services[name];
    return service === undefined ? [] : [imageName(project.name, name, service)];
  });
}

async function showVariables(
  ctx: CliContext,
  base: LoadOptions,
  services: readonly string[],
  options: ParsedOptions,
): Promise<number> {
  const { loadModel, treeYaml, variablesOf } = await import("../compose/index.js");
  if (services.length > 0) {
    ctx.warn(
      "service filtering is not applied when --variables is set, variables from the full model will be rendered",
    );
  }
  const { tree } = await loadModel({ ...base, noInterpolate: true });
  const variables = [...variablesOf(tree).values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((one) => ({
      Name: one.name,
      DefaultValue: one.defaultValue,
      PresenceValue: one.presenceValue,
      Required: one.required,
    }));
  if (options.flag("quiet")) return 0;
  const asked = options.text("format") ?? "";
  const format = asked === "yaml" ? asked : asked.toLowerCase();
  if (format === "json" || format === "{{json.}}") {
    // the reference ends its line twice
    ctx.print(printedJsonText(`${goJson(new Map(variables.map((one) => [one.Name, one] as const)), 4)}\n\n`));
  } else if (asked === "yaml") {
    // the reference's YAML has the names of the fields in lower case, and is written by another library than its `config`
    const lower = variables.map((one) =>
      Object.fromEntries(Object.entries(one).map(([key, value]) => [key.toLowerCase(), value])),
    );
    ctx.print(printedText(await treeYaml(Object.fromEntries(lower.map((one) => [one["name"], one])), "    ")));
  } else if (format === "" || format === "table" || format === "pretty") {
    const { renderTable } = await import("./render/table.js");
    const rows = variables.map((one) => [one.Name, String(one.Required), one.DefaultValue, one.PresenceValue]);
    ctx.print(renderTable([["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"], ...rows]));
  } else {
    throw usage(`format value "${asked}" could not be parsed: parsing failed`);
  }
  return 0;
}
