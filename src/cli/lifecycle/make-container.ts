/** `container run` and `create`: the image brought, the container made as its flags say. */
import { randomBytes } from "node:crypto";
import type { Engine } from "../../engine/index.js";
import type { ContainerSpec } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { serviceSpec } from "../../plan/service-spec/index.js";
import type { ParsedOptions } from "../command.js";
import { containerDocument } from "../container-flags.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";

/** Makes the container; its id. */
export async function makeContainer(
  ctx: CliContext,
  args: readonly string[],
  options: ParsedOptions,
  more: Pick<ContainerSpec, "autoRemove" | "removedByMaker" | "stdinOnce">,
): Promise<string> {
  const [image = "", ...argv] = args;
  const engine = await ctx.engine();
  const name = options.text("name") ?? nameFor(image);
  const asked = await specOf(ctx, name, containerDocument(name, image, argv, options));
  await bringImage(ctx, engine, image, options);
  const ports = options.flag("publish-all") ? [...(await exposedPorts(engine, image, options))] : [];
  const spec =
    ports.length === 0 ? asked : await specOf(ctx, name, containerDocument(name, image, argv, options, ports));
  return await engine.containers.create({ ...spec, ...more });
}

/** What the image and `--expose` name, but for what `--publish` gives a port already. */
async function exposedPorts(engine: Engine, image: string, options: ParsedOptions): Promise<ReadonlySet<string>> {
  const withProtocol = (port: string) => (port.includes("/") ? port : `${port}/tcp`);
  const published = new Set(options.list("publish").map((port) => withProtocol(port.split(":").at(-1) ?? "")));
  const { config } = await engine.images.inspect(image);
  const exposed = [...config.exposedPorts, ...options.list("expose")].map(withProtocol);
  return new Set(exposed.filter((port) => !published.has(port)));
}

/** `redis-3f9a1c`. */
function nameFor(image: string): string {
  const path = (image.split("@")[0] ?? "").split("/").at(-1) ?? "";
  const base = (path.split(":")[0] ?? "").replace(/[^a-zA-Z0-9_.-]/g, "").replace(/^[^a-zA-Z0-9]+/, "");
  return `${base === "" ? "container" : base}-${randomBytes(3).toString("hex")}`;
}

/** Through compose's loader, which reads the document as it reads files; no `$` in it is a variable. */
async function specOf(ctx: CliContext, name: string, document: unknown): Promise<ContainerSpec> {
  const { loadProject, nodeFs } = await import("../../compose/index.js");
  const project = await loadProject({
    env: ctx.env,
    cwd: ctx.cwd,
    files: ["-"],
    envFiles: [],
    projectName: "container",
    projectDirectory: ctx.cwd,
    noInterpolate: true,
    fs: { ...nodeFs, readStdin: () => JSON.stringify(document) },
    warn: (warning) => ctx.warn(warning.message),
  });
  const spec = serviceSpec({
    project,
    service: name,
    number: 1,
    separator: "-",
    imageId: "",
    containerOf: (service) => service,
    warn: (message) => ctx.warn(message),
  });
  const labels = Object.entries(spec.labels ?? {}).filter(
    ([key]) => !/^(?:com\.docker\.compose|org\.tscompose)\./.test(key),
  );
  return { ...spec, name, labels: Object.fromEntries(labels) };
}

async function bringImage(ctx: CliContext, engine: Engine, image: string, options: ParsedOptions): Promise<void> {
  const policy = options.text("pull");
  const stored = policy === "always" ? undefined : await engine.images.find(image);
  if (stored !== undefined || policy === "never") return;
  const platform = options.text("platform");
  const request = { signal: ctx.signal, ...given({ platform }) };
  const quiet = options.flag("quiet");
  if (policy !== "always" && !quiet) ctx.note(printed`Unable to find image '${image}' locally\n`);
  const { withEngineProgress } = await import("../engine-progress.js");
  await withEngineProgress(ctx, quiet, (onProgress) => engine.images.pull(image, { ...request, onProgress }));
}
