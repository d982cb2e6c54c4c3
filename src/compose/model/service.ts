/** A service, and how it is read. */
import { BUILD, type Build, DEVELOP, type Develop } from "./build.js";
import { DEPLOY, DEVICE_REQUEST, type Deploy, type DeviceRequest } from "./deploy.js";
import { ENV_FILE, type EnvFile, FILE_REFERENCE, type FileReference } from "./files.js";
import { HOOK, type Hook } from "./hooks.js";
import { structOf } from "./kinds.js";
import { PORT, type Port, SERVICE_NETWORK, type ServiceNetwork } from "./networks.js";
import {
  BLKIO,
  type BlkioConfig,
  CREDENTIAL_SPEC,
  type CredentialSpec,
  DEPENDENCY,
  DEVICE,
  type Dependency,
  type DeviceMapping,
  EXTENDS,
  type Extends,
  HEALTHCHECK,
  type HealthcheckConfig,
  LOGGING,
  type Logging,
  PROVIDER,
  type Provider,
  SERVICE_MODEL,
  type ServiceModel,
} from "./service-parts.js";
import type { Environment, Extensible, ShellCommand, SoftHard, StringMap } from "./values.js";
import { SERVICE_VOLUME, type ServiceVolume } from "./volumes.js";

/**
 * A service in its canonical form. Sizes are decimal strings of bytes, `stop_grace_period` a Go duration, periods and quotas microseconds.
 */
export interface Service extends Extensible {
  readonly profiles?: readonly string[];
  readonly annotations?: StringMap;
  readonly attach?: boolean;
  readonly build?: Build;
  readonly develop?: Develop;
  readonly blkio_config?: BlkioConfig;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cgroup_parent?: string;
  readonly cgroup?: string;
  readonly cpu_count?: number;
  readonly cpu_percent?: number;
  readonly cpu_period?: number;
  readonly cpu_quota?: number;
  readonly cpu_rt_period?: number;
  readonly cpu_rt_runtime?: number;
  readonly cpus?: number;
  readonly cpuset?: string;
  readonly cpu_shares?: number;
  readonly command: ShellCommand;
  readonly configs?: readonly FileReference[];
  readonly container_name?: string;
  readonly credential_spec?: CredentialSpec;
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly deploy?: Deploy;
  readonly device_cgroup_rules?: readonly string[];
  readonly devices?: readonly DeviceMapping[];
  readonly dns?: readonly string[];
  readonly dns_opt?: readonly string[];
  readonly dns_search?: readonly string[];
  readonly domainname?: string;
  readonly entrypoint: ShellCommand;
  readonly provider?: Provider;
  readonly environment?: Environment;
  /** Present only when the environment was not resolved (`--no-env-resolution`). */
  readonly env_file?: readonly EnvFile[];
  readonly expose?: readonly string[];
  readonly extends?: Extends;
  readonly external_links?: readonly string[];
  /** `host=address` entries, sorted. */
  readonly extra_hosts?: readonly string[];
  readonly group_add?: readonly string[];
  readonly gpus?: readonly DeviceRequest[];
  readonly hostname?: string;
  readonly healthcheck?: HealthcheckConfig;
  readonly image?: string;
  readonly init?: boolean;
  readonly ipc?: string;
  readonly isolation?: string;
  readonly labels?: StringMap;
  readonly label_file?: readonly string[];
  readonly links?: readonly string[];
  readonly logging?: Logging;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly memswap_limit?: string;
  readonly mem_swappiness?: string;
  readonly mac_address?: string;
  readonly models?: Readonly<Record<string, ServiceModel | null>>;
  readonly network_mode?: string;
  readonly networks?: Readonly<Record<string, ServiceNetwork | null>>;
  readonly oom_kill_disable?: boolean;
  readonly oom_score_adj?: number;
  readonly pid?: string;
  readonly pids_limit?: number;
  readonly platform?: string;
  readonly ports?: readonly Port[];
  readonly privileged?: boolean;
  /** `always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_<duration>`. */
  readonly pull_policy?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly runtime?: string;
  readonly scale?: number;
  readonly secrets?: readonly FileReference[];
  readonly security_opt?: readonly string[];
  readonly shm_size?: string;
  readonly stdin_open?: boolean;
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly storage_opt?: StringMap;
  readonly sysctls?: StringMap;
  readonly tmpfs?: readonly string[];
  readonly tty?: boolean;
  readonly ulimits?: Readonly<Record<string, number | SoftHard>>;
  readonly use_api_socket?: boolean;
  readonly user?: string;
  readonly userns_mode?: string;
  readonly uts?: string;
  readonly volumes?: readonly ServiceVolume[];
  readonly volumes_from?: readonly string[];
  readonly working_dir?: string;
  readonly pre_start?: readonly Hook[];
  readonly post_start?: readonly Hook[];
  readonly pre_stop?: readonly Hook[];
}

/** How a service is read, in the order of the reference's struct: hashes depend on it. */
export const SERVICE = structOf<Service>({
  profiles: "strings",
  annotations: "map",
  attach: "bool!",
  build: { one: BUILD },
  develop: { one: DEVELOP },
  blkio_config: { one: BLKIO },
  cap_add: "strings",
  cap_drop: "strings",
  cgroup_parent: "string",
  cgroup: "string",
  cpu_count: "int",
  cpu_percent: "float",
  cpu_period: "int",
  cpu_quota: "int",
  cpu_rt_period: "int",
  cpu_rt_runtime: "int",
  cpus: "float",
  cpuset: "string",
  cpu_shares: "int",
  command: "shell",
  configs: { list: FILE_REFERENCE },
  container_name: "string",
  credential_spec: { one: CREDENTIAL_SPEC },
  depends_on: { map: DEPENDENCY },
  deploy: { one: DEPLOY },
  device_cgroup_rules: "strings",
  devices: { list: DEVICE },
  dns: "strings",
  dns_opt: "strings",
  dns_search: "strings",
  domainname: "string",
  entrypoint: "shell",
  provider: { one: PROVIDER },
  environment: "environment",
  env_file: { list: ENV_FILE },
  expose: "strings",
  extends: { one: EXTENDS },
  external_links: "strings",
  extra_hosts: "hosts",
  group_add: "strings",
  gpus: { list: DEVICE_REQUEST },
  hostname: "string",
  healthcheck: { one: HEALTHCHECK },
  image: "string",
  init: "bool!",
  ipc: "string",
  isolation: "string",
  labels: "map",
  label_file: "strings",
  links: "strings",
  logging: { one: LOGGING },
  mem_limit: "bytes",
  mem_reservation: "bytes",
  memswap_limit: "bytes",
  mem_swappiness: "bytes",
  mac_address: "string",
  models: { map: SERVICE_MODEL },
  network_mode: "string",
  networks: { map: SERVICE_NETWORK },
  oom_kill_disable: "bool",
  oom_score_adj: "int",
  pid: "string",
  pids_limit: "int",
  platform: "string",
  ports: { list: PORT },
  privileged: "bool",
  pull_policy: "string",
  read_only: "bool",
  restart: "string",
  runtime: "string",
  scale: "int!",
  secrets: { list: FILE_REFERENCE },
  security_opt: "strings",
  shm_size: "bytes",
  stdin_open: "bool",
  stop_grace_period: "duration!",
  stop_signal: "string",
  storage_opt: "map",
  sysctls: "map",
  tmpfs: "strings",
  tty: "bool",
  ulimits: "ulimits",
  use_api_socket: "bool",
  user: "string",
  userns_mode: "string",
  uts: "string",
  volumes: { list: SERVICE_VOLUME },
  volumes_from: "strings",
  working_dir: "string",
  pre_start: { list: HOOK },
  post_start: { list: HOOK },
  pre_stop: { list: HOOK },
});
