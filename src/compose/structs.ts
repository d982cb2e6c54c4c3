/** The fields of the canonical model in the order `config` prints them, with how each is read. Data only. */

export type Kind =
  | "string"
  | "bool"
  | "int"
  | "uint"
  | "float"
  | "bytes"
  | "number-or-bytes"
  | "duration"
  | "strings"
  | "shell"
  | "test"
  | "map"
  | "environment"
  | "hosts"
  | "mode"
  | "count"
  | "ssh"
  | "ulimits"
  | "options"
  | "struct"
  /** A struct that is there even when nothing was written. */
  | "always"
  | "structs"
  | "map-of-structs";

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly struct?: Struct;
  /** Keep 0, false and "" (the reference has a pointer there). */
  readonly keepZero?: boolean;
  /** What stands for an absent value (the reference prints the zero of its type). */
  readonly zero?: number | string;
  /** Leave out `true`, which is what absence means. */
  readonly dropTrue?: boolean;
  /** Key in the file when it differs. */
  readonly from?: string;
}
export type Struct = readonly Field[];

const ZEROS: Readonly<Record<string, string>> = { string: "", bytes: "0" };

/** `name:kind`, with `!` after the kind for a field that keeps zero values, `!!` for one that has them when absent, too. */
function fields(text: string, structs: Readonly<Record<string, Struct>> = {}): Struct {
  return text
    .trim()
    .split(/\s+/)
    .map((word): Field => {
      const [name = "", kind = "string"] = word.split(":");
      const struct = structs[name];
      return {
        name,
        kind: kind.replace(/!+$/, "") as Kind,
        ...(kind.endsWith("!") ? { keepZero: true } : {}),
        ...(kind.endsWith("!!") ? { zero: ZEROS[kind.replace("!!", "")] ?? 0 } : {}),
        ...(struct === undefined ? {} : { struct }),
      };
    });
}

const FILE_REFERENCE = fields("source target uid gid mode:mode!");
const DEVICE_REQUEST = fields("capabilities:strings driver count:count device_ids:strings options:map");
const HOOK = fields("command:shell image user privileged:bool working_dir environment:environment per_replica:bool!");

const BUILD = fields(
  `context dockerfile dockerfile_inline entitlements:strings args:environment provenance sbom ssh:ssh labels:map
   cache_from:strings cache_to:strings no_cache:bool no_cache_filter:strings additional_contexts:map pull:bool extra_hosts:hosts
   isolation network target secrets:structs shm_size:bytes tags:strings ulimits:ulimits platforms:strings privileged:bool`,
  { secrets: FILE_REFERENCE },
);

const WATCH = fields("path action target exec:always include:strings ignore:strings initial_sync:bool", { exec: HOOK });

const RATE = fields("path:string!! rate:bytes!!");
const BLKIO = fields(
  "weight:uint weight_device:structs device_read_bps:structs device_read_iops:structs device_write_bps:structs device_write_iops:structs",
  {
    weight_device: fields("path:string!! weight:uint!!"),
    device_read_bps: RATE,
    device_read_iops: RATE,
    device_write_bps: RATE,
    device_write_iops: RATE,
  },
);

const UPDATE = fields("parallelism:uint! delay:duration failure_action monitor:duration max_failure_ratio:float order");
const RESOURCE = fields("cpus:float memory:bytes pids:int devices:structs generic_resources:structs", {
  devices: DEVICE_REQUEST,
  generic_resources: fields("discrete_resource_spec:struct", {
    discrete_resource_spec: fields("kind:string!! value:int!!"),
  }),
});
const DEPLOY = fields(
  "mode replicas:int! labels:map update_config:struct rollback_config:struct resources:always restart_policy:struct placement:always endpoint_mode",
  {
    update_config: UPDATE,
    rollback_config: UPDATE,
    resources: fields("limits:struct reservations:struct", { limits: RESOURCE, reservations: RESOURCE }),
    restart_policy: fields("condition delay:duration! max_attempts:uint! window:duration!"),
    placement: fields("constraints:strings preferences:structs max_replicas_per_node:uint", {
      preferences: fields("spread"),
    }),
  },
);

const HEALTHCHECK = fields(
  "test:test timeout:duration! interval:duration! retries:uint! start_period:duration! start_interval:duration! disable:bool",
);
const SERVICE_NETWORK = fields(
  "aliases:strings driver_opts:map gw_priority:int interface_name ipv4_address ipv6_address link_local_ips:strings mac_address priority:int",
);
const PORT = fields("name mode host_ip target:uint published protocol app_protocol");
const VOLUME = fields(
  "type source target read_only:bool consistency bind:struct volume:struct tmpfs:struct image:struct",
  {
    bind: fields("selinux propagation create_host_path:bool! recursive"),
    volume: fields("labels:map nocopy:bool subpath"),
    tmpfs: fields("size:bytes mode:uint"),
    image: fields("subpath"),
  },
);

/** A service, in the order of the reference's struct; hashes depend on it. */
export const SERVICE: Struct = fields(
  `profiles:strings annotations:map attach:bool! build:struct develop:struct blkio_config:struct cap_add:strings cap_drop:strings
   cgroup_parent cgroup cpu_count:int cpu_percent:float cpu_period:int cpu_quota:int cpu_rt_period:int cpu_rt_runtime:int cpus:float
   cpuset cpu_shares:int command:shell configs:structs container_name credential_spec:struct depends_on:map-of-structs deploy:struct
   device_cgroup_rules:strings devices:structs dns:strings dns_opt:strings dns_search:strings dockerfile domainname entrypoint:shell
   provider:struct environment:environment env_file:structs expose:strings extends:struct external_links:strings extra_hosts:hosts
   group_add:strings gpus:structs hostname healthcheck:struct image init:bool! ipc isolation labels:map label_file:strings links:strings
   logging:struct log_driver log_opt:map mem_limit:bytes mem_reservation:bytes memswap_limit:bytes mem_swappiness:bytes mac_address
   models:map-of-structs net network_mode networks:map-of-structs oom_kill_disable:bool oom_score_adj:int pid pids_limit:int platform
   ports:structs privileged:bool pull_policy read_only:bool restart runtime scale:int! secrets:structs security_opt:strings
   shm_size:bytes stdin_open:bool stop_grace_period:duration! stop_signal storage_opt:map sysctls:map tmpfs:strings tty:bool
   ulimits:ulimits use_api_socket:bool user userns_mode uts volume_driver volumes:structs volumes_from:strings working_dir
   pre_start:structs post_start:structs pre_stop:structs`,
  {
    build: BUILD,
    develop: fields("watch:structs", { watch: WATCH }),
    blkio_config: BLKIO,
    configs: FILE_REFERENCE,
    credential_spec: fields("config file registry"),
    depends_on: fields("condition restart:bool required:bool!"),
    deploy: DEPLOY,
    devices: fields("source target permissions"),
    provider: fields("type options:options"),
    env_file: [
      { name: "path", kind: "string", keepZero: true },
      { name: "required", kind: "bool", keepZero: true, dropTrue: true },
      { name: "format", kind: "string" },
    ],
    extends: fields("file service"),
    gpus: DEVICE_REQUEST,
    healthcheck: HEALTHCHECK,
    logging: fields("driver options:map"),
    models: fields("endpoint_var model_var"),
    networks: SERVICE_NETWORK,
    ports: PORT,
    secrets: FILE_REFERENCE,
    volumes: VOLUME,
    pre_start: HOOK,
    post_start: HOOK,
    pre_stop: HOOK,
  },
);

export const NETWORK: Struct = fields(
  "name driver driver_opts:map ipam:always external:bool internal:bool attachable:bool labels:map enable_ipv4:bool! enable_ipv6:bool!",
  {
    ipam: fields("driver config:structs options:map", { config: fields("subnet gateway ip_range aux_addresses:map") }),
  },
);
export const VOLUME_CONFIG: Struct = fields("name driver driver_opts:map external:bool labels:map");
export const FILE_OBJECT: Struct = fields(
  "name file environment content external:bool labels:map driver driver_opts:map template_driver",
);
export const MODEL: Struct = fields("name model context_size:int runtime_flags:strings");
