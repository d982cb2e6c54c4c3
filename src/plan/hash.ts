/**
 * Config hashes, equal to docker compose's: SHA-256 over the JSON its Go structs give. Field order and the fields left out
 * are the whole policy and stand here as tables. Must not look at anything but the configuration.
 */
import { createHash } from "node:crypto";
import type { FileObject, NetworkConfig, Project, Service, VolumeConfig } from "../compose/model.js";
import { goJson } from "../lib/go-json.js";

/** A Go value's shape: fields in the order of the struct, a list of a shape, a map of a shape, or anything. */
type Shape =
  | { readonly kind: "struct"; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "map"; readonly of: Shape }
  | { readonly kind: "any" };

const any: Shape = { kind: "any" };
const list = (of: Shape): Shape => ({ kind: "list", of });
const map = (of: Shape): Shape => ({ kind: "map", of });
const struct = (fields: string, nested: Readonly<Record<string, Shape>> = {}): Shape => ({
  kind: "struct",
  fields: Object.fromEntries(fields.split(" ").map((name) => [name, nested[name] ?? any])),
});

const fileReference = struct("source target uid gid mode");
const deviceRequest = struct("capabilities driver count device_ids options");
const hook = struct("command image user privileged working_dir environment per_replica");
const resource = struct("cpus memory pids devices generic_resources", { devices: list(deviceRequest) });
const updateConfig = struct("parallelism delay failure_action monitor max_failure_ratio order");

/** compose-go types.ServiceConfig without what does not make a container differ: build, pull_policy, scale, depends_on, profiles. */
const service = struct(
  "annotations attach develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count cpu_percent cpu_period cpu_quota " +
    "cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares command configs container_name credential_spec deploy " +
    "device_cgroup_rules devices dns dns_opt dns_search dockerfile domainname entrypoint provider environment env_file expose " +
    "extends external_links extra_hosts group_add gpus hostname healthcheck image init ipc isolation labels label_file links " +
    "logging log_driver log_opt mem_limit mem_reservation memswap_limit mem_swappiness mac_address models net network_mode " +
    "networks oom_kill_disable oom_score_adj pid pids_limit platform ports privileged read_only restart runtime secrets " +
    "security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user " +
    "userns_mode uts volume_driver volumes volumes_from working_dir pre_start post_start pre_stop",
  {
    develop: struct("watch", {
      watch: list(struct("path action target exec include ignore initial_sync", { exec: hook })),
    }),
    blkio_config: struct("weight weight_device device_read_bps device_read_iops device_write_bps device_write_iops"),
    configs: list(fileReference),
    secrets: list(fileReference),
    credential_spec: struct("config file registry"),
    deploy: struct("mode labels update_config rollback_config resources restart_policy placement endpoint_mode", {
      update_config: updateConfig,
      rollback_config: updateConfig,
      resources: struct("limits reservations", { limits: resource, reservations: resource }),
      restart_policy: struct("condition delay max_attempts window"),
      placement: struct("constraints preferences max_replicas_per_node"),
    }),
    devices: list(struct("source target permissions")),
    provider: struct("type options"),
    env_file: list(struct("path required format")),
    extends: struct("file service"),
    gpus: list(deviceRequest),
    healthcheck: struct("test timeout interval retries start_period start_interval disable"),
    logging: struct("driver options"),
    models: map(struct("endpoint_var model_var")),
    networks: map(
      struct(
        "aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address priority",
      ),
    ),
    ports: list(struct("name mode host_ip target published protocol app_protocol")),
    ulimits: map(struct("single soft hard")),
    volumes: list(
      struct("type source target read_only consistency bind volume tmpfs image", {
        bind: struct("selinux propagation create_host_path recursive"),
        volume: struct("labels nocopy subpath"),
        tmpfs: struct("size mode"),
        image: struct("subpath"),
      }),
    ),
    pre_start: list(hook),
    post_start: list(hook),
    pre_stop: list(hook),
  },
);

const network = struct("name driver driver_opts ipam external internal attachable labels enable_ipv4 enable_ipv6", {
  ipam: struct("driver config", { config: list(struct("subnet gateway ip_range aux_addresses")) }),
});
const volume = struct("name driver driver_opts external labels");

/** 64 hex digits; what `config --hash` prints and containers carry as `com.docker.compose.config-hash`. */
export function serviceHash(config: Service): string {
  return sha256(goJson(ordered(config, service)));
}

/** The hash on networks. */
export function networkHash(config: NetworkConfig): string {
  return sha256(goJson(ordered(config, network)));
}

/** The hash on volumes. */
export function volumeHash(config: VolumeConfig): string {
  return sha256(goJson(ordered(config, volume)));
}

/**
 * Digest of the inline configs and secrets a service uses (`content`, `environment`), or "" when it has none: their text is
 * not part of the service, yet a change must recreate the container that got the old text.
 */
export function filesHash(project: Project, config: Service): string {
  const parts: string[] = [];
  for (const [kind, references, objects] of [
    ["config", config.configs, project.configs],
    ["secret", config.secrets, project.secrets],
  ] as const) {
    for (const reference of references ?? []) {
      const content = inlineContent(project, objects[reference.source ?? ""]);
      if (content !== undefined) parts.push(JSON.stringify([kind, reference.source, content]));
    }
  }
  return parts.length === 0 ? "" : sha256(parts.join("\n"));
}

/** The text of an inline config or secret; undefined for a file and for an unset variable. */
export function inlineContent(project: Project, object: FileObject | undefined): string | undefined {
  if (object === undefined) return undefined;
  if (object.content !== undefined) return object.content;
  return object.environment === undefined ? undefined : project.environment[object.environment];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The value with struct fields in order and map keys sorted by bytes. */
function ordered(value: unknown, shape: Shape): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => ordered(item, shape.kind === "list" ? shape.of : any));
  if (shape.kind === "struct") {
    const given = value as Readonly<Record<string, unknown>>;
    const present = Object.entries(shape.fields).filter(([name]) => given[name] !== undefined);
    return new Map(present.map(([name, of]) => [name, ordered(given[name], of)]));
  }
  const of = shape.kind === "map" ? shape.of : any;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return new Map(entries.map(([key, item]) => [key, ordered(item, of)]));
}
