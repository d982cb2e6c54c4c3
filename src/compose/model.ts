/**
 * The types of a loaded project: the canonical form that `docker compose config --format json` prints, field for
 * field (snake_case; sizes are decimal strings of bytes, durations Go strings such as `1m30s`, file modes octal
 * strings, ports and mounts in their long form). What is zero or empty is absent. Plain readonly data; no behaviour.
 * Extension keys (`x-…`) stay where they were written. One difference from the printed form: devices of
 * `blkio_config` have lowercase keys here.
 */

/** Extension keys, kept verbatim wherever the specification allows them. */
export interface Extensible {
  readonly [extension: `x-${string}`]: unknown;
}

export type StringMap = Readonly<Record<string, string>>;
/** Values of an environment; null is a bare key that no environment defines: it is not set in the container. */
export type Environment = Readonly<Record<string, string | null>>;
/** null keeps the image's value, an empty list clears it. */
export type ShellCommand = readonly string[] | null;

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

/** -1 is unlimited. */
export interface SoftHard extends Extensible {
  readonly soft?: number;
  readonly hard?: number;
}

export interface Build extends Extensible {
  /** Absolute path or a remote URL. */
  readonly context?: string;
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly entitlements?: readonly string[];
  readonly args?: Environment;
  readonly provenance?: string;
  readonly sbom?: string;
  /** `id` or `id=path` entries. */
  readonly ssh?: readonly string[];
  readonly labels?: StringMap;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache?: boolean;
  readonly no_cache_filter?: readonly string[];
  /** Name to path, URL, `docker-image://…` or `service:name`. */
  readonly additional_contexts?: StringMap;
  readonly pull?: boolean;
  readonly extra_hosts?: readonly string[];
  readonly isolation?: string;
  readonly network?: string;
  readonly target?: string;
  readonly secrets?: readonly FileReference[];
  readonly shm_size?: string;
  readonly tags?: readonly string[];
  readonly ulimits?: Readonly<Record<string, number | SoftHard>>;
  readonly platforms?: readonly string[];
  readonly privileged?: boolean;
}

export interface Develop extends Extensible {
  readonly watch?: readonly WatchTrigger[];
}
export interface WatchTrigger extends Extensible {
  readonly path: string;
  readonly action: "rebuild" | "sync" | "restart" | "sync+restart" | "sync+exec";
  readonly target?: string;
  readonly exec?: Hook;
  readonly include?: readonly string[];
  readonly ignore?: readonly string[];
  readonly initial_sync?: boolean;
}

export interface BlkioConfig extends Extensible {
  readonly weight?: number;
  readonly weight_device?: readonly { readonly path: string; readonly weight?: number }[];
  /** `rate` is bytes (bps) or operations (iops) a second, as a decimal string. */
  readonly device_read_bps?: readonly { readonly path: string; readonly rate: string }[];
  readonly device_read_iops?: readonly { readonly path: string; readonly rate: string }[];
  readonly device_write_bps?: readonly { readonly path: string; readonly rate: string }[];
  readonly device_write_iops?: readonly { readonly path: string; readonly rate: string }[];
}

/** A secret or config used by a service or a build. */
export interface FileReference extends Extensible {
  readonly source?: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Octal with a leading zero, `"0440"`. */
  readonly mode?: string;
}

export interface CredentialSpec extends Extensible {
  readonly config?: string;
  readonly file?: string;
  readonly registry?: string;
}

export type DependencyCondition = "service_started" | "service_healthy" | "service_completed_successfully";
export interface Dependency extends Extensible {
  readonly condition: DependencyCondition;
  readonly restart?: boolean;
  readonly required: boolean;
}

export interface Deploy extends Extensible {
  readonly mode?: string;
  readonly replicas?: number;
  readonly labels?: StringMap;
  readonly update_config?: UpdateConfig;
  readonly rollback_config?: UpdateConfig;
  readonly resources: DeployResources;
  readonly restart_policy?: DeployRestartPolicy;
  readonly placement: Placement;
  readonly endpoint_mode?: string;
}
export interface UpdateConfig extends Extensible {
  readonly parallelism?: number;
  readonly delay?: string;
  readonly failure_action?: string;
  readonly monitor?: string;
  readonly max_failure_ratio?: number;
  readonly order?: string;
}
export interface DeployResources extends Extensible {
  readonly limits?: Resource;
  readonly reservations?: Resource;
}
export interface Resource extends Extensible {
  readonly cpus?: number;
  readonly memory?: string;
  readonly pids?: number;
  readonly devices?: readonly DeviceRequest[];
  readonly generic_resources?: readonly {
    readonly discrete_resource_spec?: { readonly kind: string; readonly value: number };
  }[];
}
export interface DeployRestartPolicy extends Extensible {
  readonly condition?: string;
  readonly delay?: string;
  readonly max_attempts?: number;
  readonly window?: string;
}
export interface Placement extends Extensible {
  readonly constraints?: readonly string[];
  readonly preferences?: readonly { readonly spread?: string }[];
  readonly max_replicas_per_node?: number;
}
export interface DeviceRequest extends Extensible {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1 is all. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: StringMap;
}

export interface DeviceMapping extends Extensible {
  /** A path, or a CDI name `vendor/class=name`. */
  readonly source?: string;
  readonly target?: string;
  readonly permissions?: string;
}

export interface Provider extends Extensible {
  readonly type: string;
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

export interface EnvFile {
  readonly path: string;
  readonly required?: boolean;
  readonly format?: string;
}

export interface Extends {
  readonly file?: string;
  readonly service?: string;
}

export interface HealthcheckConfig extends Extensible {
  readonly test?: readonly string[];
  readonly timeout?: string;
  readonly interval?: string;
  readonly retries?: number;
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly disable?: boolean;
}

export interface Logging extends Extensible {
  readonly driver?: string;
  readonly options?: StringMap;
}

export interface ServiceModel extends Extensible {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}

export interface ServiceNetwork extends Extensible {
  readonly aliases?: readonly string[];
  readonly driver_opts?: StringMap;
  readonly gw_priority?: number;
  readonly interface_name?: string;
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly priority?: number;
}

export interface Port extends Extensible {
  readonly name?: string;
  readonly mode?: string;
  readonly host_ip?: string;
  /** Container port; absent only for a remote quirk of the short form. */
  readonly target?: number;
  /** A port or a range `8000-8010`; absent asks for any free port. */
  readonly published?: string;
  readonly protocol?: string;
  readonly app_protocol?: string;
}

export interface ServiceVolume extends Extensible {
  readonly type: "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster" | "glob";
  readonly source?: string;
  readonly target?: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: BindOptions;
  readonly volume?: VolumeOptions;
  readonly tmpfs?: TmpfsOptions;
  readonly image?: { readonly subpath?: string };
}
export interface BindOptions extends Extensible {
  readonly selinux?: string;
  readonly propagation?: string;
  /** Absent means true. */
  readonly create_host_path?: boolean;
  readonly recursive?: string;
}
export interface VolumeOptions extends Extensible {
  readonly labels?: StringMap;
  readonly nocopy?: boolean;
  readonly subpath?: string;
}
export interface TmpfsOptions extends Extensible {
  readonly size?: string;
  readonly mode?: number;
}

export interface Hook extends Extensible {
  readonly command: ShellCommand;
  /** `pre_start` only: the image to run; the service's when it was not given. */
  readonly image?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  readonly environment?: Environment;
  readonly per_replica?: boolean;
}

export interface NetworkConfig extends Extensible {
  /** The name on the host: `<project>_<key>` unless set. */
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly ipam: Ipam;
  readonly external?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly labels?: StringMap;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
}
export interface Ipam extends Extensible {
  readonly driver?: string;
  readonly config?: readonly IpamPool[];
  readonly options?: StringMap;
}
export interface IpamPool extends Extensible {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ip_range?: string;
  readonly aux_addresses?: StringMap;
}

export interface VolumeConfig extends Extensible {
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly external?: boolean;
  readonly labels?: StringMap;
}

/** A top-level secret or config. */
export interface FileObject extends Extensible {
  readonly name?: string;
  readonly file?: string;
  readonly environment?: string;
  /** `configs` only; for both, the value of `environment` is resolved here but never printed by `config` for secrets. */
  readonly content?: string;
  readonly external?: boolean;
  readonly labels?: StringMap;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly template_driver?: string;
}

export interface ModelConfig extends Extensible {
  readonly name?: string;
  readonly model: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}

/** What `config` prints: the part of a project that comes from the files. */
export interface ProjectConfig extends Extensible {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, NetworkConfig>>;
  readonly volumes: Readonly<Record<string, VolumeConfig>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, ModelConfig>>;
}

/** A warning met while loading; `code` is stable. */
export interface LoadWarning {
  readonly code: string;
  readonly message: string;
  /** Where in the tree, when it is about one value; `Project.locate` turns it into a place. */
  readonly path?: readonly (string | number)[];
}

/** Line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A loaded project: its configuration and how it was found. Immutable; functions return changed copies. */
export interface Project extends ProjectConfig {
  /** Absolute; relative paths of the files were resolved against it. */
  readonly workingDir: string;
  /** Absolute paths, in the order they were merged (`-` for standard input). */
  readonly configFiles: readonly string[];
  /** Absolute paths of the `.env` files read. */
  readonly envFiles: readonly string[];
  /** Process environment, `.env` files and COMPOSE_PROJECT_NAME: what interpolation and bare keys see. */
  readonly environment: StringMap;
  readonly profiles: readonly string[];
  /** Services whose profiles are not active or that were not selected. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  readonly warnings: readonly LoadWarning[];
  /** Where a value was written, by its path in the merged model; undefined for what was not written. Parses lazily. */
  readonly locate: (path: readonly (string | number)[]) => Position | undefined;
}
