/** The container that runs one pre_start command: the service's surroundings without its ports and names. Pure. */
import type { Hook, Project } from "../compose/model.js";
import type { ContainerSpec } from "../engine/types.js";
import { given } from "../lib/given.js";
import { LABEL } from "./labels.js";

/** A spec for a container that ends by itself; its name is derived from the service container's. */
export function hookSpec(
  project: Project,
  service: string,
  base: ContainerSpec,
  hook: Hook,
  index: number,
): ContainerSpec {
  const { entrypoint: _e, command: _c, ports: _p, restart: _r, healthcheck: _h, expose: _x, ...rest } = base;
  const labels: Record<string, string> = { ...base.labels };
  delete labels[LABEL.configHash];
  delete labels[LABEL.number];
  const finalName = base.name.replace(/^[0-9a-f]{12}_/, "");
  return {
    ...rest,
    name: `${finalName}-pre_start-${index}`,
    image: hook.image ?? base.image,
    entrypoint: [],
    env: { ...base.env, ...hook.environment },
    ...given({
      command: hook.command ?? undefined,
      user: hook.user,
      workingDir: hook.working_dir,
      privileged: hook.privileged,
      networks: base.networks?.map(({ aliases: _a, ipv4: _4, ipv6: _6, mac: _m, ...attachment }) => attachment),
    }),
    labels: {
      ...labels,
      [LABEL.project]: project.name,
      [LABEL.service]: service,
      [LABEL.oneOff]: "True",
      [LABEL.hook]: "pre_start",
    },
    healthcheck: { test: ["NONE"] },
    stdinOpen: false,
    tty: false,
  };
}
