/**
 * What a project asks of its host in plain sight: the orders that somebody gives by running a file. Everything else in a compose file leads to
 * the container alone (SECURITY.md), so this list is what to read before running a stranger's.
 */
import { isAbsolute, relative } from "node:path";
import type { Build, Service } from "../model.js";
import { SOCKETS } from "./host.js";
import type { CheckContext, Complaint, Rule } from "./types.js";
import { entries } from "./walk.js";

/** One order: where it stands below its service or resource, and what it gives. */
interface Order {
  readonly path: readonly (string | number)[];
  readonly gives: string;
}

const NAMESPACES = [
  ["network_mode", "the host's network"],
  ["pid", "the host's processes"],
  ["ipc", "the host's shared memory and queues"],
  ["uts", "the host's name"],
  ["cgroup", "the host's cgroup tree"],
  ["userns_mode", "the host's user namespace"],
] as const;

/** Tells of a path whether it leads outside the project's own folder, through links too; URLs and names do not. */
type Outside = (path: string | undefined) => path is string;

const outsideOf = ({ project, realPath }: CheckContext): Outside => {
  const folder = realPath(project.workingDir);
  return (path): path is string =>
    path !== undefined && isAbsolute(path) && /^\.\.(\/|$)/.test(relative(folder, realPath(path)));
};

function buildOrders(isOutside: Outside, build: Build | undefined): Order[] {
  const paths: [string, string | undefined][] = [
    ["context", build?.context],
    ...entries(build?.additional_contexts ?? {}).map(([, path]): [string, string] => ["additional_contexts", path]),
  ];
  return [
    ...(build?.privileged === true ? [{ path: ["build", "privileged"], gives: "every privilege to its build" }] : []),
    ...(build?.network === "host" ? [{ path: ["build", "network"], gives: "the host's network to its build" }] : []),
    ...(build?.entitlements ?? []).map((word, i) => ({
      path: ["build", "entitlements", i],
      gives: `${word} to its build`,
    })),
    ...(build?.ssh ?? []).map((word, i) => ({ path: ["build", "ssh", i], gives: `the SSH keys ${word} to its build` })),
    ...paths.flatMap(([key, path]) =>
      isOutside(path) ? [{ path: ["build", key], gives: `${path} to its build` }] : [],
    ),
  ];
}

function serviceOrders(isOutside: Outside, service: Service): Order[] {
  const each = (key: "cap_add" | "device_cgroup_rules" | "security_opt", gives: (word: string) => string | undefined) =>
    (service[key] ?? []).flatMap((word, i): Order[] => {
      const given = gives(word);
      return given === undefined ? [] : [{ path: [key, i], gives: given }];
    });
  const rootfs = service["x-podman.rootfs"];
  return [
    ...(service.privileged === true ? [{ path: ["privileged"], gives: "every privilege and device" }] : []),
    ...NAMESPACES.flatMap(([key, gives]) => (service[key] === "host" ? [{ path: [key], gives }] : [])),
    ...each("cap_add", (word) => `the capability ${word}`),
    ...each("device_cgroup_rules", (word) => `the devices ${word}`),
    ...each("security_opt", (word) =>
      /unconfined|^unmask|^apparmor|^seccomp/.test(word) ? `other confinement (${word})` : undefined,
    ),
    ...(service.devices ?? []).map(({ source }, i) => ({ path: ["devices", i], gives: `the device ${source}` })),
    ...(service.gpus ?? []).map((_gpu, i) => ({ path: ["gpus", i], gives: "graphics devices" })),
    ...(service.volumes ?? []).flatMap(({ type, source, read_only }, i): Order[] =>
      (type === "bind" || type === "glob") && isOutside(source) && !SOCKETS.includes(source)
        ? [{ path: ["volumes", i], gives: `${source}${read_only === true ? " to read" : ""}` }]
        : [],
    ),
    ...(["post_start", "pre_stop", "pre_start"] as const).flatMap((key) =>
      (service[key] ?? []).flatMap((hook, i) =>
        hook.privileged === true ? [{ path: [key, i], gives: "every privilege to a hook" }] : [],
      ),
    ),
    ...(service.provider === undefined
      ? []
      : [{ path: ["provider"], gives: `itself to the host's program docker-${service.provider.type}` }]),
    ...(service.runtime === undefined
      ? []
      : [{ path: ["runtime"], gives: `itself to the OCI runtime ${service.runtime}` }]),
    ...(typeof rootfs === "string" ? [{ path: ["x-podman.rootfs"], gives: `${rootfs} as its root` }] : []),
    ...(service.develop?.watch ?? []).flatMap(({ path }, i): Order[] =>
      isOutside(path) ? [{ path: ["develop", "watch", i], gives: `${path} to watch` }] : [],
    ),
    ...buildOrders(isOutside, service.build),
  ];
}

function orders(context: CheckContext): Complaint[] {
  const { project, networkDriver } = context;
  const isOutside = outsideOf(context);
  const all = { ...project.disabledServices, ...project.services };
  const of = (section: string, kind: string, name: string, found: readonly Order[]): Complaint[] =>
    found.map(({ path, gives }) => ({
      message: `${kind} ${JSON.stringify(name)} gets from the host: ${gives}`,
      path: [section, name, ...path],
    }));
  return [
    ...entries(all).flatMap(([name, service]) => of("services", "service", name, serviceOrders(isOutside, service))),
    ...entries(project.volumes).flatMap(([name, { driver_opts }]) => {
      const device = driver_opts?.["device"];
      return of("volumes", "volume", name, device === undefined ? [] : [{ path: ["driver_opts"], gives: device }]);
    }),
    ...entries(project.networks).flatMap(([name, { driver, driver_opts }]) => {
      const isOnLink = networkDriver(driver ?? "")?.onParent === true;
      const gives = `the network behind ${driver_opts?.["parent"] ?? "its interface"}`;
      return of("networks", "network", name, isOnLink ? [{ path: ["driver"], gives }] : []);
    }),
    ...(["secrets", "configs"] as const).flatMap((section) =>
      entries(project[section]).flatMap(([name, { file, environment }]) =>
        of(section, section.slice(0, -1), name, [
          ...(isOutside(file) ? [{ path: ["file"], gives: file }] : []),
          ...(environment === undefined ? [] : [{ path: ["environment"], gives: `your variable ${environment}` }]),
        ]),
      ),
    ),
  ];
}

/** What running the project gives away. */
export const accessRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_HOST_ACCESS",
    level: "note",
    title: "something of the host that a container gets",
    help: "run it only if you mean to give this; the project's own folder is not listed",
    find: orders,
  },
];
