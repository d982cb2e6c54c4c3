/** Builders for plan tests: projects and observed containers as plain data, and prompts with a fixed answer. */
import type { NetworkConfig, Project, Service, VolumeConfig } from "../../../src/compose/model.js";
import type { ContainerInfo, ImageInfo, NetworkInfo, VolumeInfo } from "../../../src/engine/types.js";
import { networkHash, volumeHash } from "../../../src/plan/hash.js";
import { LABEL } from "../../../src/plan/labels.js";
import { type Observed, observeContainer } from "../../../src/plan/observe.js";
import { serviceSpec } from "../../../src/plan/service-spec/index.js";

export type ServiceInput = Partial<Service>;

/** A project `p` whose services run `image: NAME` on the default network unless they say otherwise. */
export function project(services: Readonly<Record<string, ServiceInput>>, rest: Partial<Project> = {}): Project {
  return {
    name: "p",
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]): [string, Service] => [
        name,
        {
          command: null,
          entrypoint: null,
          ...(service.build === undefined ? { image: name } : {}),
          ...(service.network_mode === undefined ? { networks: { default: null } } : {}),
          ...service,
        },
      ]),
    ),
    networks: { default: { name: "p_default", ipam: {} } },
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    workingDir: "/proj",
    configFiles: ["/proj/compose.yaml"],
    envFiles: [],
    environment: {},
    profiles: [],
    disabledServices: {},
    warnings: [],
    locate: () => undefined,
    ...rest,
  };
}

export function image(reference: string, id = `sha256:${reference}`): ImageInfo {
  return {
    id,
    tags: [reference],
    repoDigests: [],
    createdAt: "",
    sizeBytes: 0,
    architecture: "amd64",
    os: "linux",
    variant: "",
    config: {
      user: "",
      env: [],
      entrypoint: [],
      command: [],
      workingDir: "",
      labels: {},
      exposedPorts: [],
      volumes: [],
      stopSignal: "",
      onBuild: [],
      shell: [],
    },
    diffIds: [],
    history: [],
  };
}

/** A container as `up` of `from` would have left it. */
export function container(
  from: Project,
  service: string,
  number: number,
  change: Partial<ContainerInfo> = {},
): ContainerInfo {
  const spec = serviceSpec({
    project: from,
    service,
    number,
    separator: "-",
    imageId: `sha256:${from.services[service]?.image ?? `p-${service}`}`,
    containerOf: (other) => `p-${other}-1`,
    warn: () => undefined,
  });
  return {
    id: `${service}${number}`.padEnd(64, "0"),
    name: spec.name,
    spec,
    imageId: "",
    imageName: spec.image,
    labels: spec.labels ?? {},
    state: "running",
    pid: 1,
    exitCode: 0,
    oomKilled: false,
    error: "",
    createdAt: "",
    startedAt: "",
    finishedAt: "",
    restartCount: 0,
    health: "none",
    healthFailingStreak: 0,
    healthLog: [],
    networks: (spec.networks ?? []).map((attachment) => ({
      network: attachment.network,
      interfaceName: "eth0",
      ipv4: "",
      ipv4PrefixLength: 0,
      gateway: "",
      ipv6: "",
      ipv6PrefixLength: 0,
      ipv6Gateway: "",
      mac: "",
      aliases: attachment.aliases ?? [],
    })),
    ports: spec.ports ?? [],
    mounts: (spec.mounts ?? []).map((mount) => ({
      type: mount.type,
      name: mount.type === "volume" ? mount.source || `anon-${mount.target.slice(1)}` : "",
      source: "",
      target: mount.target,
      readOnly: false,
      anonymous: mount.type === "volume" && mount.source === "",
    })),
    hasHealthcheck: false,
    argv: [],
    logPath: "",
    ...change,
  };
}

/** What exists: containers, and the networks and volumes of `from` with their hashes. */
export function observed(from: Project | undefined, containers: readonly ContainerInfo[] = []): Observed {
  const networks = Object.entries(from?.networks ?? {}).map(([key, config]): [string, NetworkInfo] => [
    config.name ?? "",
    networkInfo(key, config),
  ]);
  const volumes = Object.entries(from?.volumes ?? {}).map(([key, config]): [string, VolumeInfo] => [
    config.name ?? `p_${key}`,
    volumeInfo(key, config),
  ]);
  const images = new Map<string, ImageInfo>();
  for (const [name, service] of Object.entries(from?.services ?? {})) {
    const reference = service.image ?? `p-${name}`;
    images.set(reference, image(reference));
  }
  return {
    project: "p",
    containers: containers.map(observeContainer),
    networks: new Map(networks),
    volumes: new Map(volumes),
    images,
  };
}

function networkInfo(key: string, config: NetworkConfig): NetworkInfo {
  return {
    name: config.name ?? "",
    id: config.name ?? "",
    driver: "bridge",
    labels: { [LABEL.project]: "p", [LABEL.network]: key, [LABEL.configHash]: networkHash(config) },
    internal: false,
    ipv6: false,
    subnets: [],
    bridge: "",
    createdAt: "",
    options: {},
    containers: {},
  };
}

function volumeInfo(key: string, config: VolumeConfig): VolumeInfo {
  return {
    name: config.name ?? `p_${key}`,
    driver: "local",
    driverOpts: {},
    labels: { [LABEL.project]: "p", [LABEL.volume]: key, [LABEL.configHash]: volumeHash(config) },
    mountpoint: "",
    createdAt: "",
    anonymous: false,
  };
}

/** Fails the test: nothing may be asked. */
export const noPrompt = (question: string): boolean => {
  throw new Error(`unexpected question: ${question}`);
};
export const yesPrompt = (): boolean => true;
export const declinePrompt = (): boolean => false;
