/** Which settings of a container differ from the wanted ones, in the compose file's words. Pure; only explains, never decides. */
import type { ContainerSpec } from "../engine/types.js";

const COMPOSE_WORD: Readonly<Record<string, string>> = {
  env: "environment",
  workingDir: "working_dir",
  groupAdd: "group_add",
  stdinOpen: "stdin_open",
  mounts: "volumes",
  volumesFrom: "volumes_from",
  files: "secrets/configs",
  networkMode: "network_mode",
  cgroupParent: "cgroup_parent",
  capAdd: "cap_add",
  capDrop: "cap_drop",
  securityOpt: "security_opt",
  readOnly: "read_only",
  cdiDevices: "devices",
  deviceCgroupRules: "device_cgroup_rules",
  shmSizeBytes: "shm_size",
  oomScoreAdj: "oom_score_adj",
  stopSignal: "stop_signal",
  stopTimeoutMs: "stop_grace_period",
  dnsSearch: "dns_search",
  dnsOptions: "dns_opt",
  extraHosts: "extra_hosts",
};
const KEYED = new Set(["env", "labels", "sysctls", "annotations", "resources"]);

/** `environment.PORT, image`; "" when nothing that is visible in the spec differs. At most four names. */
export function explainDifference(before: ContainerSpec, after: ContainerSpec): string {
  const left = new Map(Object.entries(before));
  const right = new Map(Object.entries(after));
  const names: string[] = [];
  for (const key of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    if (key === "name") continue;
    const [a, b] = [left.get(key), right.get(key)];
    if (canonical(a) === canonical(b)) continue;
    const word = COMPOSE_WORD[key] ?? key;
    if (KEYED.has(key)) names.push(...differentKeys(a, b).map((name) => `${word}.${name}`));
    else names.push(word);
  }
  return names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
}

function differentKeys(a: unknown, b: unknown): string[] {
  const left = new Map(Object.entries(a ?? {}));
  const right = new Map(Object.entries(b ?? {}));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => canonical(left.get(key)) !== canonical(right.get(key)) && !key.startsWith("com.docker.compose."))
    .sort();
}

/** JSON with sorted keys; undefined and empty containers count as the same. */
function canonical(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
