/**
 * docker's flags of `container run` and `create` as a compose service: one reader of ports, volumes, sizes and durations for both. A table
 * says which flag is which attribute.
 */
import { given } from "../lib/given.js";
import type { OptionSpec, ParsedOptions } from "./command.js";
import { usage } from "./usage.js";

interface Flag extends OptionSpec {
  /** The attribute that takes the value as it is. */
  readonly key?: string;
}

const text = (long: string, key: string | undefined, help: string, more: Partial<Flag> = {}): Flag => ({
  long,
  value: "string",
  help,
  ...given({ key }),
  ...more,
});
const list = (long: string, key: string | undefined, help: string, more: Partial<Flag> = {}): Flag =>
  text(long, key, help, { ...more, value: "list" });
const int = (long: string, key: string | undefined, help: string, more: Partial<Flag> = {}): Flag =>
  text(long, key, help, { ...more, value: "int" });
const flag = (long: string, key: string | undefined, help: string, short?: string): Flag => ({
  long,
  help,
  ...given({ key, short }),
});

const FLAGS: readonly Flag[] = [
  list("add-host", "extra_hosts", "Add a custom host-to-IP mapping (host:ip)"),
  list("annotation", "annotations", "Add an annotation to the container"),
  list("cap-add", "cap_add", "Add Linux capabilities"),
  list("cap-drop", "cap_drop", "Drop Linux capabilities"),
  text("cgroup-parent", "cgroup_parent", "Optional parent cgroup for the container"),
  text("cgroupns", "cgroup", "Cgroup namespace to use (host|private)"),
  int("cpu-period", "cpu_period", "Limit CPU CFS (Completely Fair Scheduler) period"),
  int("cpu-quota", "cpu_quota", "Limit CPU CFS (Completely Fair Scheduler) quota"),
  int("cpu-shares", "cpu_shares", "CPU shares (relative weight)", { short: "c" }),
  text("cpus", "cpus", "Number of CPUs"),
  text("cpuset-cpus", "cpuset", "CPUs in which to allow execution (0-3, 0,1)"),
  list("device", "devices", "Add a host device to the container"),
  list("dns", "dns", "Set custom DNS servers"),
  list("dns-option", "dns_opt", "Set DNS options"),
  list("dns-search", "dns_search", "Set custom DNS search domains"),
  text("domainname", "domainname", "Container NIS domain name"),
  text("entrypoint", undefined, "Overwrite the default ENTRYPOINT of the image"),
  list("env", "environment", "Set environment variables", { short: "e" }),
  list("env-file", undefined, "Read in a file of environment variables", { complete: "file" }),
  list("expose", "expose", "Expose a port or a range of ports"),
  list("group-add", "group_add", "Add additional groups to join"),
  text("health-cmd", undefined, "Command to run to check health"),
  text("health-interval", undefined, "Time between running the check (ms|s|m|h)"),
  int("health-retries", undefined, "Consecutive failures needed to report unhealthy"),
  text("health-start-period", undefined, "Start period before health-retries countdown (ms|s|m|h)"),
  text("health-timeout", undefined, "Maximum time to allow one check to run (ms|s|m|h)"),
  text("hostname", "hostname", "Container host name", { short: "h" }),
  flag("init", "init", "Run an init inside the container that forwards signals and reaps processes"),
  flag("interactive", "stdin_open", "Keep STDIN open even if not attached", "i"),
  text("ip", undefined, "IPv4 address"),
  text("ip6", undefined, "IPv6 address"),
  text("ipc", "ipc", "IPC mode to use"),
  list("label", "labels", "Set meta data on a container", { short: "l" }),
  text("log-driver", undefined, "Logging driver for the container"),
  list("log-opt", undefined, "Log driver options"),
  text("mac-address", "mac_address", "Container MAC address"),
  text("memory", "mem_limit", "Memory limit", { short: "m" }),
  text("memory-reservation", "mem_reservation", "Memory soft limit"),
  text("memory-swap", "memswap_limit", "Swap limit equal to memory plus swap: -1 to enable unlimited swap"),
  list("mount", undefined, "Attach a filesystem mount to the container"),
  text("name", undefined, "Assign a name to the container"),
  text("network", undefined, "Connect a container to a network", { synonyms: ["net"], complete: "network" }),
  list("network-alias", undefined, "Add network-scoped alias for the container", { synonyms: ["net-alias"] }),
  flag("no-healthcheck", undefined, "Disable any container-specified HEALTHCHECK"),
  flag("oom-kill-disable", "oom_kill_disable", "Disable OOM Killer"),
  int("oom-score-adj", "oom_score_adj", "Tune host's OOM preferences (-1000 to 1000)"),
  text("pid", "pid", "PID namespace to use"),
  int("pids-limit", "pids_limit", "Tune container pids limit (set -1 for unlimited)"),
  text("platform", "platform", "Set platform, as in linux/arm64"),
  flag("privileged", "privileged", "Give extended privileges to this container"),
  list("publish", "ports", "Publish a container's port(s) to the host", { short: "p" }),
  flag("publish-all", undefined, "Publish all exposed ports to random ports", "P"),
  text("pull", undefined, "Pull image before creating", {
    default: "missing",
    choices: ["always", "missing", "never"],
  }),
  flag("quiet", undefined, "Suppress the pull output", "q"),
  flag("read-only", "read_only", "Mount the container's root filesystem as read only"),
  text("restart", "restart", "Restart policy to apply when a container exits"),
  flag("rm", undefined, "Automatically remove the container and its anonymous volumes when it exits"),
  text("runtime", "runtime", "OCI runtime to use for this container"),
  list("security-opt", "security_opt", "Security Options"),
  text("shm-size", "shm_size", "Size of /dev/shm"),
  text("stop-signal", "stop_signal", "Signal to stop the container"),
  int("stop-timeout", undefined, "Timeout (in seconds) to stop a container"),
  list("sysctl", "sysctls", "Sysctl options"),
  list("tmpfs", "tmpfs", "Mount a tmpfs directory"),
  flag("tty", "tty", "Allocate a pseudo-TTY", "t"),
  list("ulimit", undefined, "Ulimit options"),
  text("user", "user", "Username or UID (format: <name|uid>[:<group|gid>])", { short: "u" }),
  text("userns", "userns_mode", "User namespace to use"),
  text("uts", "uts", "UTS namespace to use"),
  list("volume", "volumes", "Bind mount a volume", { short: "v" }),
  list("volumes-from", undefined, "Mount volumes from the specified container(s)"),
  text("workdir", "working_dir", "Working directory inside the container", { short: "w" }),
];

/** What `container run` and `container create` have in common. */
export const containerOptions: readonly OptionSpec[] = FLAGS.map(({ key: _, ...option }) => option);

/** A compose document with one service of this name, `ports` published as well. `TSC_USAGE` for a value that its flag cannot have. */
export function containerDocument(
  name: string,
  image: string,
  argv: readonly string[],
  options: ParsedOptions,
  ports: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const service: Record<string, unknown> = { image, container_name: name };
  if (argv.length > 0) service["command"] = argv;
  for (const { long, key, value } of FLAGS) {
    if (key === undefined || !options.given(long)) continue;
    if (value === "list") service[key] = options.list(long);
    else
      service[key] =
        value === "int" ? options.number(long) : value === undefined ? options.flag(long) : options.text(long);
  }
  if (ports.length > 0) service["ports"] = [...options.list("publish"), ...ports];
  const mounts = options.list("mount").map(mountOf);
  if (mounts.length > 0) service["volumes"] = [...options.list("volume"), ...mounts];
  const from = options.list("volumes-from").map((other) => `container:${other}`);
  if (from.length > 0) service["volumes_from"] = from;
  const files = options.list("env-file").map((path) => ({ path, format: "raw" }));
  if (files.length > 0) service["env_file"] = files;
  const entrypoint = options.text("entrypoint");
  if (entrypoint !== undefined) service["entrypoint"] = entrypoint === "" ? [] : [entrypoint];
  const stop = options.number("stop-timeout");
  if (stop !== undefined) service["stop_grace_period"] = `${stop}s`;
  const limits = options.list("ulimit").map(ulimitOf);
  if (limits.length > 0) service["ulimits"] = Object.fromEntries(limits);
  Object.assign(service, healthcheckOf(options), loggingOf(options));
  const volumes = options.list("volume").flatMap((volume) => namedVolume(volume) ?? []);
  const sources = mounts.flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : []));
  const network = networkOf(options);
  return {
    services: { [name]: { ...service, ...network.service } },
    ...given({ networks: network.networks }),
    volumes: Object.fromEntries([...volumes, ...sources].map((volume) => [volume, { name: volume }])),
  };
}

/** `data:/path` names a volume, `./x:/path` a folder. */
function namedVolume(volume: string): string | undefined {
  const [source = ""] = volume.split(":");
  return volume.includes(":") && /^[A-Za-z0-9]/.test(source) ? source : undefined;
}

interface Mount {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
}

/** `type=bind,source=/a,target=/b,readonly`. */
function mountOf(value: string): Mount {
  const fields = new Map<string, string>();
  for (const part of value.split(",")) {
    const equals = part.indexOf("=");
    fields.set(equals < 0 ? part : part.slice(0, equals), equals < 0 ? "true" : part.slice(equals + 1));
  }
  const take = (...names: readonly string[]): string | undefined => {
    const found = names.map((name) => fields.get(name)).find((one) => one !== undefined);
    for (const name of names) fields.delete(name);
    return found;
  };
  const type = take("type") ?? "volume";
  const source = take("source", "src");
  const target = take("target", "destination", "dst");
  const readOnly = take("readonly", "ro");
  if (target === undefined) throw usage(`invalid --mount "${value}": target is missing`);
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw usage(`invalid --mount "${value}": unknown option "${unknown}"`);
  return {
    type,
    target,
    ...given({ source }),
    ...(readOnly === undefined ? {} : { read_only: readOnly === "true" || readOnly === "1" }),
  };
}

/** `nofile=1024:2048`. */
function ulimitOf(value: string): readonly [string, unknown] {
  const [, name = "", soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? [];
  if (soft === undefined) throw usage(`invalid --ulimit "${value}": write NAME=SOFT[:HARD]`);
  return [name, { soft: Number(soft), hard: Number(hard ?? soft) }];
}

function healthcheckOf(options: ParsedOptions): Readonly<Record<string, unknown>> {
  if (options.flag("no-healthcheck")) return { healthcheck: { disable: true } };
  const command = options.text("health-cmd");
  const check = {
    ...(command === undefined ? {} : { test: ["CMD-SHELL", command] }),
    ...given({
      interval: options.text("health-interval"),
      timeout: options.text("health-timeout"),
      retries: options.number("health-retries"),
      start_period: options.text("health-start-period"),
    }),
  };
  return Object.keys(check).length === 0 ? {} : { healthcheck: check };
}

function loggingOf(options: ParsedOptions): Readonly<Record<string, unknown>> {
  const entries = options.list("log-opt").map((entry): readonly [string, string] => {
    const equals = entry.indexOf("=");
    if (equals < 1) throw usage(`invalid --log-opt "${entry}": write KEY=VALUE`);
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  const driver = options.text("log-driver");
  if (driver === undefined && entries.length === 0) return {};
  return { logging: { driver: driver ?? "json-file", options: Object.fromEntries(entries) } };
}

/** docker's default is the network `bridge`; another name is a network that exists. */
function networkOf(options: ParsedOptions): {
  readonly service: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, unknown>>;
} {
  const name = options.text("network") ?? "bridge";
  const own = {
    ...given({ ipv4_address: options.text("ip"), ipv6_address: options.text("ip6") }),
    ...(options.list("network-alias").length === 0 ? {} : { aliases: options.list("network-alias") }),
  };
  if (["bridge", "default", "host", "none"].includes(name) || name.startsWith("container:")) {
    if (Object.keys(own).length > 0)
      throw usage(`--ip, --ip6 and --network-alias need a network of your own, not ${name}`);
    return { service: { network_mode: name === "default" ? "bridge" : name } };
  }
  return { service: { networks: { [name]: own } }, networks: { [name]: { external: true, name } } };
}
