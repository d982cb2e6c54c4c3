/**
 * What a compose file may ask for and one Linux host without a swarm cannot give. Plan, linter and documentation read these rows; an
 * attribute of the schema that is neither here nor in `honoured.ts` fails a test. Data only.
 */
import type { Limit, LimitElsewhere, Values } from "./types.js";

const CLUSTER = "there is no cluster on one machine";
const WINDOWS = "it is for Windows";
const USER_NAMESPACE = "containers share one user namespace: the user's own, or the host's for root";

const is = (...words: readonly string[]): Values => ({
  words: `for ${words.map((word) => `\`${word}\``).join(", ")}`,
  applies: (value) => words.includes(String(value)),
});
const isNot = (...words: readonly string[]): Values => ({
  words: `for any other than ${words.map((word) => `\`${word}\``).join(", ")}`,
  applies: (value) => !["", ...words].includes(String(value)),
});
/** Options of one type of mount, at another. */
const mountOptions = (type: string): Limit => ({
  path: `services.*.volumes[].${type}`,
  outcome: "told",
  why: `the mount is of another type`,
  only: {
    words: "at another type of mount",
    // a named volume's `:z` is kept as an option of a bind, as the reference keeps it
    applies: (value, parent) =>
      parent["type"] !== type &&
      Object.keys(Object(value)).some((key) => key !== "selinux" || parent["type"] !== "volume"),
  },
});

/** Rows that depend on the file alone. */
export const LIMITS: readonly Limit[] = [
  { path: "services.*.cgroup", outcome: "refused", why: "write host or private", only: isNot("host", "private") },
  { path: "services.*.cpu_count", outcome: "told", why: `${WINDOWS}; use cpus` },
  { path: "services.*.cpu_percent", outcome: "told", why: `${WINDOWS}; use cpus` },
  { path: "services.*.credential_spec", outcome: "told", why: WINDOWS },
  { path: "services.*.isolation", outcome: "told", why: WINDOWS, only: isNot("default") },
  {
    path: "services.*.models",
    outcome: "refused",
    why: "run the model as a service and give its address as an environment variable",
  },
  { path: "services.*.storage_opt", outcome: "told", why: "root filesystems have no quota" },
  {
    path: "services.*.use_api_socket",
    outcome: "refused",
    why: "there is no API socket: the engine runs inside tscompose",
  },
  { path: "services.*.userns_mode", outcome: "refused", why: USER_NAMESPACE, only: isNot("host") },
  {
    path: "services.*.x-podman.uidmaps",
    outcome: "refused",
    why: "containers share one user namespace; run tscompose as an ordinary user",
  },
  {
    path: "services.*.x-podman.gidmaps",
    outcome: "refused",
    why: "containers share one user namespace; run tscompose as an ordinary user",
  },
  {
    path: "services.*.x-podman.passwd",
    outcome: "told",
    why: "a container's /etc/passwd is its image's",
    only: isNot("false"),
  },

  { path: "services.*.build.cache_from", outcome: "told", why: "the local cache is always used" },
  { path: "services.*.build.cache_to", outcome: "told", why: "the cache stays on this machine" },
  { path: "services.*.build.isolation", outcome: "told", why: WINDOWS, only: isNot("default") },
  { path: "services.*.build.no_cache_filter", outcome: "told", why: "use --no-cache" },
  { path: "services.*.build.provenance", outcome: "told", why: "no attestations are made", only: isNot("false") },
  { path: "services.*.build.sbom", outcome: "told", why: "no attestations are made", only: isNot("false") },
  ...["uid", "gid", "mode"].map(
    (name): Limit => ({
      path: `services.*.build.secrets[].${name}`,
      outcome: "told",
      why: "the `RUN --mount=type=secret` that reads it says who may",
    }),
  ),

  { path: "services.*.deploy.placement", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.endpoint_mode", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.labels", outcome: "told", why: `${CLUSTER} whose service could carry them; use labels` },
  { path: "services.*.deploy.mode", outcome: "told", why: CLUSTER, only: isNot("replicated", "global") },
  { path: "services.*.deploy.resources.reservations.cpus", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.resources.reservations.generic_resources", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.rollback_config", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.update_config", outcome: "told", why: CLUSTER },
  { path: "services.*.deploy.restart_policy.delay", outcome: "told", why: "the pause doubles from 100 ms to a minute" },
  { path: "services.*.deploy.restart_policy.window", outcome: "told", why: "a run of 10 s counts as a success" },
  {
    path: "services.*.deploy.restart_policy.max_attempts",
    outcome: "told",
    why: "it needs condition on-failure",
    only: {
      words: "without `condition: on-failure`",
      applies: (_value, parent) => parent["condition"] !== "on-failure",
    },
  },
  ...["services.*.gpus[]", "services.*.deploy.resources.reservations.devices[]"].map(
    (place): Limit => ({
      path: `${place}.options`,
      outcome: "told",
      why: "a device is given by its CDI name, which takes no options",
    }),
  ),

  {
    path: "services.*.volumes[].type",
    outcome: "refused",
    why: "the types here are bind, volume, tmpfs and image",
    only: is("cluster", "glob", "npipe"),
  },
  {
    path: "services.*.volumes[].source",
    outcome: "refused",
    why: "a tmpfs is empty at first: leave the source out",
    only: { words: "at type `tmpfs`", applies: (value, parent) => parent["type"] === "tmpfs" && value !== "" },
  },
  ...["bind", "volume", "tmpfs", "image"].map(mountOptions),
  {
    path: "services.*.volumes[].volume.labels",
    outcome: "told",
    why: "a named volume has the labels of its declaration below `volumes`",
    only: { words: "of a named volume", applies: (_value, _options, mount) => mount["source"] !== undefined },
  },

  {
    path: "networks.*.ipam.driver",
    outcome: "refused",
    why: "addresses are given out by the engine itself: leave the driver out",
    only: isNot("default"),
  },
  { path: "networks.*.ipam.options", outcome: "told", why: "addresses are given out by the engine itself" },
  ...["gateway", "ip_range", "aux_addresses"].map(
    (name): Limit => ({
      path: `networks.*.ipam.config[].${name}`,
      outcome: "refused",
      why: "write the subnet that it lies in",
      only: { words: "without a `subnet`", applies: (_value, parent) => parent["subnet"] === undefined },
    }),
  ),
  { path: "networks.*.x-podman.routes", outcome: "told", why: "networks have the route to their gateway" },

  { path: "secrets.*.labels", outcome: "told", why: "a secret is a file here" },
  { path: "secrets.*.driver", outcome: "refused", why: "give the secret a file or environment" },
  { path: "secrets.*.driver_opts", outcome: "told", why: "a secret is a file here" },
  { path: "secrets.*.template_driver", outcome: "refused", why: "give the secret a file or environment" },
  { path: "configs.*.labels", outcome: "told", why: "a config is a file here" },
  { path: "configs.*.template_driver", outcome: "refused", why: "give the config a file, content or environment" },
  { path: "secrets.*.x-podman.relabel", outcome: "told", why: "secrets keep their label" },

  {
    path: "x-podman.in_pod",
    outcome: "told",
    why: "there are no pods: a project is what holds its containers",
    only: isNot("false"),
  },
  { path: "x-podman.pod_args", outcome: "told", why: "there are no pods" },
  ...["default_net_name_compat", "default_net_behavior_compat", "name_separator_compat"].map(
    (name): Limit => ({
      path: `x-podman.${name}`,
      outcome: "told",
      why: "names and networks are always docker compose's",
      only: isNot("true"),
    }),
  ),
];

/** Rows that need to know more. */
export const LIMITS_ELSEWHERE: readonly LimitElsewhere[] = [
  { path: "version", outcome: "told", by: "loader", words: "has no meaning in the specification any more" },
  { path: "networks.*.external.name", outcome: "told", by: "loader", words: "is honoured; the spelling is deprecated" },
  { path: "volumes.*.external.name", outcome: "told", by: "loader", words: "is honoured; the spelling is deprecated" },
  { path: "secrets.*.external.name", outcome: "told", by: "loader", words: "is honoured; the spelling is deprecated" },
  { path: "configs.*.external.name", outcome: "told", by: "loader", words: "is honoured; the spelling is deprecated" },
  {
    path: "services.*.pull_refresh_after",
    outcome: "told",
    by: "loader",
    words: "the period stands in `pull_policy: every_<duration>`",
  },
  {
    path: "services.*.volumes",
    outcome: "told",
    by: "loader",
    words: "for options of the short form that are not known",
  },
  { path: "secrets.*.external", outcome: "refused", by: "plan", words: "nothing outside the file keeps secrets" },
  { path: "configs.*.external", outcome: "refused", by: "plan", words: "nothing outside the file keeps configs" },
  { path: "models", outcome: "refused", by: "plan", words: "where a service uses one" },
  {
    path: "services.*.build.entitlements",
    outcome: "refused",
    by: "plan",
    words: "for words other than `network.host` and `security.insecure`",
  },
  {
    path: "services.*.gpus[].driver",
    outcome: "refused",
    by: "plan",
    words: "for drivers whose devices have no CDI names",
  },
  {
    path: "services.*.logging.driver",
    outcome: "refused",
    by: "engine",
    words: "for other than `json-file`, `local`, `k8s-file` and `none`",
  },
  {
    path: "services.*.logging.options",
    outcome: "told",
    by: "engine",
    words: "for `labels`, `env`, `tag` and their like, `non-blocking`, and what `k8s-file` does not know",
  },
  {
    path: "services.*.logging.options",
    outcome: "refused",
    by: "engine",
    words: "for what `json-file` and `local` of docker refuse",
  },
  {
    path: "services.*.mem_swappiness",
    outcome: "told",
    by: "engine",
    words: "with cgroup v2, which has no such control",
  },
  {
    path: "services.*.oom_kill_disable",
    outcome: "told",
    by: "engine",
    words: "with cgroup v2, which has no such control",
  },
  { path: "services.*.cpu_rt_period", outcome: "told", by: "engine", words: "where the cpu controller is missing" },
  { path: "services.*.cpu_rt_runtime", outcome: "told", by: "engine", words: "where the cpu controller is missing" },
  { path: "services.*.blkio_config", outcome: "told", by: "engine", words: "where the io controller is missing" },
  { path: "services.*.networks.*.driver_opts", outcome: "told", by: "engine", words: "for options that are not known" },
  {
    path: "networks.*.driver",
    outcome: "refused",
    by: "engine",
    words: "for a driver that is not there; the error names those that are",
  },
  { path: "networks.*.driver_opts", outcome: "told", by: "engine", words: "for options that are not known" },
  { path: "volumes.*.driver", outcome: "refused", by: "engine", words: "for other than `local`" },
];
