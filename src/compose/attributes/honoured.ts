/** Attributes that do what the specification says, by the place they stand at; `limits.ts` names the values for which they do not. Data only. */

const FILE_REFERENCE = "source target uid gid mode";
const HOOK = "command user privileged working_dir environment";
const DEVICE_REQUEST = "capabilities count device_ids driver";

/** Place → names. `[]` is each item of a list, `*` each value of a map. */
export const HONOURED: Readonly<Record<string, string>> = {
  "": "name include services networks volumes secrets configs",
  "include[]": "path env_file project_directory",
  "services.*":
    "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_period cpu_quota " +
    "cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search " +
    "domainname entrypoint env_file environment expose extends external_links extra_hosts gpus group_add healthcheck hostname image init " +
    "ipc isolation label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit network_mode " +
    "networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_start pre_stop privileged profiles provider " +
    "pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal sysctls tmpfs " +
    "tty ulimits user userns_mode uts volumes volumes_from working_dir",
  "services.*.blkio_config": "weight weight_device device_read_bps device_read_iops device_write_bps device_write_iops",
  "services.*.blkio_config.weight_device[]": "path weight",
  "services.*.blkio_config.device_read_bps[]": "path rate",
  "services.*.blkio_config.device_read_iops[]": "path rate",
  "services.*.blkio_config.device_write_bps[]": "path rate",
  "services.*.blkio_config.device_write_iops[]": "path rate",
  "services.*.build":
    "additional_contexts args context dockerfile dockerfile_inline entitlements extra_hosts isolation labels network no_cache platforms " +
    "privileged provenance pull sbom secrets shm_size ssh tags target ulimits",
  "services.*.build.secrets[]": "source target",
  "services.*.build.ulimits.*": "soft hard",
  "services.*.configs[]": FILE_REFERENCE,
  "services.*.depends_on.*": "condition required restart",
  "services.*.deploy": "mode replicas resources restart_policy",
  "services.*.deploy.resources": "limits reservations",
  "services.*.deploy.resources.limits": "cpus memory pids",
  "services.*.deploy.resources.reservations": "devices memory",
  "services.*.deploy.resources.reservations.devices[]": DEVICE_REQUEST,
  "services.*.deploy.restart_policy": "condition max_attempts",
  "services.*.develop": "watch",
  "services.*.develop.watch[]": "action exec ignore include initial_sync path target",
  "services.*.develop.watch[].exec": HOOK,
  "services.*.devices[]": "source target permissions",
  "services.*.env_file[]": "path format required",
  "services.*.extends": "file service",
  "services.*.gpus[]": DEVICE_REQUEST,
  "services.*.healthcheck": "disable interval retries start_interval start_period test timeout",
  "services.*.logging": "driver options",
  "services.*.networks.*":
    "aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address priority",
  "services.*.ports[]": "host_ip mode protocol published target",
  "services.*.post_start[]": HOOK,
  "services.*.pre_start[]": `${HOOK} image per_replica`,
  "services.*.pre_stop[]": HOOK,
  "services.*.provider": "type options",
  "services.*.secrets[]": FILE_REFERENCE,
  "services.*.ulimits.*": "soft hard",
  "services.*.volumes[]": "bind consistency image read_only source target tmpfs type volume",
  "services.*.volumes[].bind": "create_host_path propagation recursive selinux",
  "services.*.volumes[].image": "subpath",
  "services.*.volumes[].tmpfs": "mode size",
  "services.*.volumes[].volume": "labels nocopy subpath",
  "networks.*": "attachable driver driver_opts enable_ipv4 enable_ipv6 external internal ipam labels name",
  "networks.*.ipam": "config driver",
  "networks.*.ipam.config[]": "aux_addresses gateway ip_range subnet",
  "volumes.*": "driver driver_opts external labels name",
  "secrets.*": "environment file",
  "configs.*": "content environment file",
};

/** Words for people and for other programs: there is nothing to do about them but to print them (`config`). */
export const DESCRIPTIVE: Readonly<Record<string, string>> = {
  "services.*.ports[]": "app_protocol name",
  "secrets.*": "name",
  "configs.*": "name",
};

/** Keys of podman-compose that are honoured. They are no part of the schema. */
export const EXTENSIONS: Readonly<Record<string, string>> = {
  "services.*": "x-podman.no_hosts x-podman.rootfs",
  "services.*.networks.*": "x-podman.interface_name x-podman.mac_address",
  "networks.*": "x-podman.disable_dns x-podman.dns",
};
