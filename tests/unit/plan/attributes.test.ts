/** What the table calls honoured reaches what is done: without the attribute, a project that has everything is planned otherwise. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { HONOURED } from "../../../src/compose/attributes/honoured.js";
import type { Project } from "../../../src/compose/index.js";
import type { ContainerInfo } from "../../../src/engine/types.js";
import { planImages } from "../../../src/plan/images.js";
import { LABEL } from "../../../src/plan/labels.js";
import { type Observed, type ObservedContainer, observeContainer } from "../../../src/plan/observe.js";
import { planStop } from "../../../src/plan/stop.js";
import { planUp } from "../../../src/plan/up.js";
import { load } from "../compose/project.js";
import { image } from "./fixtures.js";

/** Nothing is to be done about them, because it is always so; or every value that is honoured is the default. */
const ALWAYS_SO = new Set([
  ...["services.*.ports[].mode", "services.*.volumes[].consistency", "networks.*.attachable"],
  ...["services.*.isolation", "services.*.build.isolation", "services.*.userns_mode"],
  ...["services.*.build.provenance", "services.*.build.sbom"],
  "networks.*.ipam.driver",
  // one machine has one replica in either mode
  "services.*.deploy.mode",
  // a CDI device has all that it can do; a driver without what is asked for is refused
  ...["services.*.gpus[].capabilities", "services.*.deploy.resources.reservations.devices[].capabilities"],
  // each mount says its type already
  "services.*.volumes[].image",
]);

/** What is read when a plan is carried out or watched, by the file that does. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "services.*.attach": "cli/lifecycle/up-attached.ts",
  "services.*.develop": "cli/lifecycle/watch-rules.ts",
  "services.*.develop.watch": "cli/lifecycle/watch-rules.ts",
  ...Object.fromEntries(
    ["action", "exec", "ignore", "include", "initial_sync", "path", "target"].map((name) => [
      `services.*.develop.watch[].${name}`,
      "cli/lifecycle/watch-rules.ts",
    ]),
  ),
  ...Object.fromEntries(
    ["command", "user", "privileged", "working_dir", "environment"].map((name) => [
      `services.*.develop.watch[].exec.${name}`,
      "execute/operations/hooks.ts",
    ]),
  ),
};

const HOOK = `{command: [x], user: u, privileged: true, working_dir: /w, environment: {K: v}}`;

const EVERYTHING = `
name: all
include:
  - {path: [sub/inc.yaml], env_file: [sub/inc.env], project_directory: ./sub/dir}
services:
  a:
    annotations: {k: v}
    blkio_config:
      weight: 300
      weight_device: [{path: /dev/sda, weight: 400}]
      device_read_bps: [{path: /dev/sda, rate: 1m}]
      device_read_iops: [{path: /dev/sda, rate: 120}]
      device_write_bps: [{path: /dev/sda, rate: 1m}]
      device_write_iops: [{path: /dev/sda, rate: 120}]
    build:
      context: ./ctx
      dockerfile: D
      additional_contexts: {base: ./other}
      args: {K: v}
      entitlements: [network.host]
      extra_hosts: {h: 1.2.3.4}
      labels: {k: v}
      network: host
      no_cache: true
      platforms: [linux/amd64, linux/arm64]
      privileged: true
      pull: true
      secrets: [{source: s, target: t}]
      shm_size: 1m
      ssh: [default, k=./key]
      tags: [x/y:z]
      target: stage
      ulimits: {nofile: {soft: 1, hard: 2}}
    cap_add: [SYS_TIME]
    cap_drop: [MKNOD]
    cgroup: host
    cgroup_parent: /x
    command: [c]
    configs: [{source: c1, target: /t, uid: "1", gid: "2", mode: 0400}, c2, c3]
    container_name: fixed
    cpu_period: 1000
    cpu_quota: 2000
    cpu_rt_period: 3000
    cpu_rt_runtime: 4000
    cpu_shares: 5
    cpus: 0.5
    cpuset: "0"
    depends_on: {b: {condition: service_healthy, restart: true, required: false}}
    device_cgroup_rules: ["c 1:3 mr"]
    devices: [{source: /dev/fuse, target: /dev/x, permissions: r}]
    dns: [1.1.1.1]
    dns_opt: [ndots:1]
    dns_search: [x.org]
    domainname: d
    entrypoint: [e]
    env_file: [{path: ./raw.env, format: raw, required: false}, {path: ./gone.env, required: false}]
    environment: {A: b}
    expose: ["9"]
    external_links: [other:friend]
    extra_hosts: {h: 1.2.3.4}
    gpus: [{driver: nvidia, count: 2}, {driver: cdi, device_ids: [v.com/c=x]}, {capabilities: [gpu]}]
    group_add: [g]
    healthcheck:
      {test: [CMD, x], interval: 1s, timeout: 2s, retries: 3, start_period: 4s, start_interval: 5s}
    hostname: h
    image: img
    init: true
    ipc: shareable
    label_file: [./labels]
    labels: {k: v}
    links: [b:bee]
    logging: {driver: json-file, options: {max-size: 1m}}
    mac_address: 02:42:ac:11:00:02
    mem_limit: 64m
    mem_reservation: 32m
    mem_swappiness: 10
    memswap_limit: 128m
    networks:
      n:
        {aliases: [x], driver_opts: {k: v}, gw_priority: 1, interface_name: e7, ipv4_address: 10.9.0.7,
         ipv6_address: "fd00::7", link_local_ips: [169.254.8.8], mac_address: 02:42:ac:11:00:03, priority: 3}
      m: {priority: 9}
    oom_kill_disable: true
    oom_score_adj: 9
    pid: host
    pids_limit: 10
    platform: linux/amd64
    ports: [{target: 80, published: "8080", host_ip: 127.0.0.1, protocol: udp}]
    post_start: [${HOOK}]
    pre_start: [{command: [x], image: hook}]
    pre_stop: [${HOOK}]
    privileged: true
    pull_policy: always
    read_only: true
    restart: on-failure:3
    runtime: crun
    secrets: [{source: s, target: t, uid: "1", gid: "2", mode: 0400}, s2]
    security_opt: [no-new-privileges:true]
    shm_size: 1m
    stdin_open: true
    stop_grace_period: 3s
    stop_signal: SIGINT
    sysctls: {net.core.somaxconn: "1"}
    tmpfs: [/tmp]
    tty: true
    ulimits: {nofile: {soft: 1, hard: 2}}
    user: u
    uts: host
    volumes:
      - {type: bind, source: /b, target: /b, read_only: true,
         bind: {create_host_path: false, propagation: rshared, recursive: disabled, selinux: z}}
      - {type: volume, target: /anon, volume: {labels: {k: v}}}
      - {type: volume, source: v, target: /v, volume: {nocopy: true, subpath: s}}
      - {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}
      - {type: image, source: im, target: /i, image: {subpath: s}}
    volumes_from: [b:ro]
    working_dir: /w
  b:
    image: b
    pre_start: [{command: [x], user: u, privileged: true, working_dir: /w, environment: {K: v}, per_replica: true}]
    scale: 2
    healthcheck: {test: [CMD, x], disable: true}
    network_mode: none
    profiles: [p]
    build: {context: ./inline, dockerfile_inline: FROM scratch}
    deploy:
      mode: global
      resources:
        limits: {cpus: "0.5", memory: 64m, pids: 7}
        reservations:
          memory: 32m
          devices: [{driver: nvidia, count: 3, capabilities: [gpu]}, {driver: cdi, device_ids: [v.com/c=y], capabilities: [x]}]
      restart_policy: {condition: on-failure, max_attempts: 3}
  c:
    extends: {file: ./ext.yaml, service: base}
    deploy: {replicas: 3}
    pull_policy: always
  off: {image: off, profiles: [never]}
  p:
    provider: {type: model, options: {k: v}}
networks:
  n:
    name: net
    driver: macvlan
    driver_opts: {k: v}
    enable_ipv4: true
    enable_ipv6: true
    internal: true
    labels: {k: v}
    ipam:
      config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1, ip_range: 10.9.0.0/25, aux_addresses: {h: 10.9.0.9}}]
  m: {external: true, name: host}
volumes:
  v: {name: vol, driver: other, driver_opts: {k: v}, labels: {k: v}}
  x: {external: true, name: seen}
secrets:
  s: {file: ./s}
  s2: {environment: SECRET}
configs:
  c1: {file: ./c}
  c2: {content: text}
  c3: {environment: SECRET}
`;

const FILES = {
  "sub/inc.yaml": "services: {inc: {image: 'inc:$INC', volumes: ['./here:/h']}}",
  "sub/inc.env": "INC=1",
  "ext.yaml": "services: {base: {image: base}, c: {image: other}}",
  "raw.env": "Q='quoted $A'",
  labels: "from=file",
  s: "",
  c: "",
};

type Tree = Record<string, unknown>;
const isMap = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** Removes every value at a pattern; how many there were. */
function remove(node: unknown, pattern: readonly string[]): number {
  const [part = "", ...rest] = pattern;
  const count = (values: readonly unknown[]) => values.reduce<number>((sum, value) => sum + remove(value, rest), 0);
  if (part === "[]") return Array.isArray(node) ? count(node) : 0;
  if (!isMap(node)) return 0;
  if (part === "*") return count(Object.values(node));
  if (rest.length > 0) return part in node ? remove(node[part], rest) : 0;
  if (!(part in node)) return 0;
  delete node[part];
  return 1;
}

const NOTHING: Omit<Observed, "project"> = {
  containers: [],
  networks: new Map(),
  volumes: new Map([
    [
      "seen",
      { name: "seen", driver: "local", driverOpts: {}, labels: {}, mountpoint: "", createdAt: "", anonymous: false },
    ],
  ]),
  images: new Map([["base", image("base")]]),
};

const running = (service: string): ObservedContainer => {
  const spec = { name: service, image: "" };
  const labels = { [LABEL.service]: service, [LABEL.number]: "1" };
  return observeContainer({ ...({} as ContainerInfo), id: service, name: service, spec, labels, state: "running" });
};

const loaded = (tree: Tree): Promise<Project> =>
  load(
    { ...FILES, "compose.yaml": JSON.stringify(tree) },
    { env: { HOME: "/h", SECRET: "x", A: "a", COMPOSE_PROFILES: "p" }, allResources: true },
  );

/** Everything that would be done, or why it cannot be. */
async function planned(from: Project | Promise<Project>): Promise<string> {
  try {
    const project = await from;
    const observed = { ...NOTHING, project: project.name };
    const images = planImages(project, observed.images, { now: 0, build: true, everyPlatform: true });
    const up = await planUp(project, observed, { confirm: () => false });
    const stop = planStop({ ...observed, containers: [running("a")] }, { services: [], project });
    return JSON.stringify([images, up, stop]).replaceAll(/"com\.docker\.compose\.config-hash":"\w+"/g, "");
  } catch (error) {
    return String(error);
  }
}

test("what is refused is refused at its place", async () => {
  const project = await load(
    "services:\n  a:\n    image: x\n    volumes:\n      - {type: npipe, source: p, target: /p}\n",
  );
  const up = planUp(project, { ...NOTHING, project: project.name }, { confirm: () => false });
  await expect(up).rejects.toMatchObject({
    code: "TSC_SERVICE_UNSUPPORTED",
    message: 'service "a": volumes[0].type: npipe is not supported',
    where: { line: 5, column: 16 },
  });
});

test("leaving out any honoured attribute changes the plan", async () => {
  const tree = parse(EVERYTHING, { merge: true }) as Tree;
  const project = await loaded(tree);
  const base = await planned(project);
  expect(base).toMatch(/^\[\{"project":"all"/);
  const { services, networks, volumes, secrets, configs, models } = project;
  const sections = JSON.stringify({ services, networks, volumes, secrets, configs, models });
  const without: string[] = [];
  const absent: string[] = [];
  const attributes = Object.entries(HONOURED).flatMap(([place, names]) =>
    names.split(" ").map((name) => (place === "" ? name : `${place}.${name}`)),
  );
  for (const attribute of attributes) {
    if (ALWAYS_SO.has(attribute)) continue;
    const file = ELSEWHERE[attribute];
    if (file !== undefined) {
      const text = readFileSync(resolve(import.meta.dirname, "../../../src", file), "utf8");
      if (!new RegExp(`\\b${attribute.split(".").at(-1)}\\b`).test(text)) without.push(`${attribute} in ${file}`);
      continue;
    }
    const parts = attribute.replaceAll("[]", ".[]").split(".");
    const model = JSON.parse(sections) as Tree;
    // what the loader has used up is loaded without it
    const isLeft = parts.length > 1 && remove(model, parts) > 0;
    let changed = isLeft ? await planned({ ...project, ...model }) : base;
    if (changed === base) {
      const copy = structuredClone(tree);
      if (remove(copy, parts) === 0) absent.push(attribute);
      changed = await planned(loaded(copy));
    }
    if (changed === base) without.push(attribute);
  }
  expect(absent).toEqual([]);
  expect(without).toEqual([]);
});
