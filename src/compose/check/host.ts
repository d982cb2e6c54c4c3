/** Rules on what cannot work on this host, or not without root. */
import { allLimitsMet, limitText, type Outcome } from "../attributes/index.js";
import type { Project, Service } from "../model.js";
import type { Complaint, Level, Rule } from "./types.js";
import { entries, portRange, publishedPorts } from "./walk.js";

interface Limit {
  readonly key: string;
  readonly level: Level;
  readonly message: string;
  readonly applies?: (value: unknown) => boolean;
}

/** Keys that need more than an ordinary user has. */
const ROOTLESS: readonly Limit[] = [
  { key: "privileged", level: "warning", message: "privileged gives only what your own user may do" },
  { key: "devices", level: "note", message: "devices work only if your user may open them" },
  {
    key: "blkio_config",
    level: "error",
    message: "blkio_config needs the io controller, which is not delegated to users",
  },
  { key: "cpu_rt_runtime", level: "error", message: "real-time scheduling cannot be given to users" },
  { key: "cpu_rt_period", level: "error", message: "real-time scheduling cannot be given to users" },
  {
    key: "oom_score_adj",
    level: "error",
    message: "a negative oom_score_adj needs root",
    applies: (value) => Number(value) < 0,
  },
  { key: "mac_address", level: "note", message: "mac_address counts inside the rootless network only" },
  {
    key: "userns_mode",
    level: "warning",
    message: "userns_mode: host is the rootless user namespace, not the host's",
    applies: (value) => value === "host",
  },
];

function rootlessLimits(services: Readonly<Record<string, Service>>): Complaint[] {
  return entries(services).flatMap(([name, service]) =>
    ROOTLESS.flatMap(({ key, level, message, applies }): Complaint[] => {
      // the model's keys are known; the table reads them by name
      const value = (service as unknown as Readonly<Record<string, unknown>>)[key];
      if (value === undefined || applies?.(value) === false) return [];
      return [{ message: `service ${JSON.stringify(name)}: ${message}`, path: ["services", name, key], level }];
    }),
  );
}

/** What the plan tells or refuses, each at its place. */
function attributeLimits(project: Project, outcome: Outcome): Complaint[] {
  return allLimitsMet(project)
    .filter(({ limit }) => limit.outcome === outcome)
    .map((met) => ({
      message: limitText(met),
      path: met.path,
      ...(outcome === "refused" ? { hint: met.limit.why } : {}),
    }));
}

function discardedPorts(services: Readonly<Record<string, Service>>): Complaint[] {
  return entries(services)
    .filter(([, service]) => (service.ports ?? []).length > 0 && publishedPorts(service).length === 0)
    .map(([name]) => ({
      message: `service ${JSON.stringify(name)}: published ports are discarded with this network_mode`,
      path: ["services", name, "ports"],
      hint: "remove them: with host, what the program binds is open on the host as it is",
    }));
}

/** Sockets of other engines. */
export const SOCKETS: readonly string[] = [
  "/var/run/docker.sock",
  "/run/docker.sock",
  "/var/run/podman/podman.sock",
  "/run/podman/podman.sock",
];

/** What this host, or an ordinary user on it, cannot give. */
export const hostRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_NOT_ROOTLESS",
    level: "error",
    title: "something that cannot work without root",
    help: "run as root, or do without it",
    find: ({ project, rootless }) => (rootless ? rootlessLimits(project.services) : []),
  },
  {
    code: "TSC_CHECK_PORT_PRIVILEGED",
    level: "error",
    title: "a port that only root may bind",
    help: "publish a higher port, or lower net.ipv4.ip_unprivileged_port_start with sysctl",
    find: ({ project, rootless, unprivilegedPort }) =>
      !rootless
        ? []
        : entries(project.services).flatMap(([name, service]) =>
            publishedPorts(service).flatMap((port, i): Complaint[] => {
              const first = portRange(port.published)?.[0];
              if (first === undefined || first === 0 || first >= unprivilegedPort) return [];
              return [
                {
                  message: `service ${JSON.stringify(name)}: host port ${first} is below ${unprivilegedPort}, the first that users may bind here`,
                  path: ["services", name, "ports", i],
                },
              ];
            }),
          ),
  },
  {
    code: "TSC_CHECK_NO_EFFECT",
    level: "warning",
    title: "an attribute that has no effect on a single Linux host",
    help: "remove it",
    find: ({ project }) => [
      ...attributeLimits(project, "told"),
      ...discardedPorts(project.services),
      ...project.warnings
        .filter(({ code }) => code === "TSC_COMPOSE_NO_EFFECT")
        .map(({ message, path }) => ({ message, path: path ?? [] })),
    ],
  },
  {
    code: "TSC_CHECK_UNSUPPORTED",
    level: "error",
    title: "an attribute that nothing here can give: `up` refuses it",
    help: "do without it",
    find: ({ project }) => attributeLimits(project, "refused"),
  },
  {
    code: "TSC_CHECK_ENGINE_SOCKET",
    level: "warning",
    title: "a container wants an engine's socket",
    help: "there is no daemon here to talk to; whoever has such a socket is root on its host",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, { volumes }]) =>
        (volumes ?? []).flatMap((volume, i): Complaint[] =>
          volume.source === undefined || !SOCKETS.includes(volume.source)
            ? []
            : [
                {
                  message: `service ${JSON.stringify(name)} mounts ${volume.source}`,
                  path: ["services", name, "volumes", i],
                },
              ],
        ),
      ),
  },
  {
    code: "TSC_CHECK_NETWORK_DRIVER",
    level: "error",
    title: "a network driver that this host cannot give",
    help: "use bridge",
    find: ({ project, rootless, networkDriver }) =>
      entries(project.networks).flatMap(([name, { driver = "", external }]): Complaint[] => {
        const facts = networkDriver(driver);
        const why = facts?.refusal ?? (rootless && facts?.needsRoot === true ? "needs root" : undefined);
        if (external === true || why === undefined) return [];
        return [
          {
            message: `network ${JSON.stringify(name)}: driver ${driver} ${why}`,
            path: ["networks", name, "driver"],
          },
        ];
      }),
  },
];
