/** `alpha generate`: a compose file from containers that run already. */
import type { ContainerInfo } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import type { CommandSpec } from "../command.js";
import { joined, printed, printedJson, printedText } from "../render/printed.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "alpha generate",
  summary: "Generate a Compose file from existing containers",
  example: "tscompose alpha generate --name demo demo-web-1",
  args: [{ name: "CONTAINERS", required: true, variadic: true, complete: "container" }],
  options: [
    { long: "format", value: "string", default: "yaml", choices: ["yaml", "json"], help: "Values: [yaml | json]" },
    { long: "name", value: "string", help: "Project name to set in the Compose file" },
    { long: "project-dir", value: "string", complete: "directory", help: "Directory to use for the project" },
  ],
  run: async (ctx, names, options) => {
    const engine = await ctx.engine();
    const containers = await Promise.all(names.map((name) => engine.containers.inspect(name)));
    const { basename, resolve } = await import("node:path");
    const folder = resolve(ctx.cwd, options.text("project-dir") ?? ".");
    const model = composeModel(
      containers,
      options.text("name") ??
        basename(folder)
          .toLowerCase()
          .replace(/[^a-z0-9_-]/g, ""),
    );
    if (options.text("format") === "json") ctx.print(joined([printedJson(model, 2), printed`\n`]));
    else ctx.print(printedText(await (await import("../../compose/index.js")).treeYaml(model)));
    return 0;
  },
};

/** One service per container; only what its spec says beyond the image's defaults. */
export function composeModel(containers: readonly ContainerInfo[], project: string): object {
  const services: Record<string, object> = {};
  const networks = new Set<string>();
  const volumes = new Set<string>();
  for (const { name, spec, imageName, mounts } of containers) {
    const ports = spec.ports ?? [];
    if (Object.hasOwn(services, name)) {
      throw usage(`container "${name}" was named twice`);
    }
    const attached = (spec.networks ?? []).map(({ network }) => network);
    for (const network of attached) networks.add(network);
    for (const mount of mounts) if (mount.type === "volume" && mount.name !== "") volumes.add(mount.name);
    const environment = Object.entries(spec.env ?? {}).filter(([, value]) => value !== null);
    services[name] = {
      image: imageName || spec.image,
      container_name: name,
      ...given({ command: spec.command?.map(escape), entrypoint: spec.entrypoint?.map(escape) }),
      ...(environment.length === 0
        ? {}
        : { environment: Object.fromEntries(environment.map(([key, value]) => [key, escapeDollars(value ?? "")])) }),
      ...(ports.length === 0
        ? {}
        : {
            ports: ports.map((port) => ({
              target: port.containerPort,
              ...(port.hostPort === 0 ? {} : { published: String(port.hostPort) }),
              protocol: port.protocol,
              ...(port.hostIp === "" ? {} : { host_ip: port.hostIp }),
            })),
          }),
      ...(mounts.length === 0
        ? {}
        : {
            volumes: mounts
              .filter((mount) => mount.type === "bind" || mount.type === "volume")
              .map((mount) => ({
                type: mount.type,
                source: mount.type === "volume" ? mount.name : mount.source,
                target: mount.target,
                ...(mount.readOnly ? { read_only: true } : {}),
              })),
          }),
      ...(attached.length === 0 ? {} : { networks: attached }),
      ...(spec.restart === undefined || spec.restart.policy === "no" ? {} : { restart: spec.restart.policy }),
      ...given({ user: spec.user, working_dir: spec.workingDir }),
      ...(spec.privileged === true ? { privileged: true } : {}),
    };
  }
  const external = (names: ReadonlySet<string>) =>
    Object.fromEntries([...names].toSorted().map((name) => [name, { name, external: true }]));
  return {
    name: project,
    services,
    ...(networks.size === 0 ? {} : { networks: external(networks) }),
    ...(volumes.size === 0 ? {} : { volumes: external(volumes) }),
  };
}

/** A dollar sign is a variable in a compose file. */
function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}
