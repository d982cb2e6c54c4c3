/** Finds the programs and CNI plugins that networking needs, in fixed folders first. Decides nothing else. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { own } from "../../lib/own.js";

type Env = Readonly<Record<string, string | undefined>>;

const SYSTEM_PATH = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
const PLUGIN_DIRS = [
  "/usr/lib/cni",
  "/opt/cni/bin",
  "/usr/libexec/cni",
  "/usr/local/libexec/cni",
  "/usr/local/lib/cni",
];

/** Debian package that holds each program. */
const PACKAGES: Readonly<Record<string, string>> = {
  "aardvark-dns": "aardvark-dns",
  slirp4netns: "slirp4netns",
  pasta: "passt",
  iptables: "iptables",
  "iptables-restore": "iptables",
  "iptables-save": "iptables",
  ip: "iproute2",
};

/** apt line for a program or CNI plugin. */
export function installHint(name: string): string {
  return `apt-get install ${own(PACKAGES, name) ?? "containernetworking-plugins"}`;
}

/** `TSC_MISSING_PROGRAM` with the line that installs it. */
export function missingProgram(name: string): TscError {
  return new TscError("TSC_MISSING_PROGRAM", `${name} is not installed`, {
    kind: "unavailable",
    hint: `run: ${installHint(name)}`,
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** PATH for helper programs: system folders first (nobody can put a false iptables before them), then the caller's. */
function searchPath(env: Env): string {
  return [...new Set([...SYSTEM_PATH, ...(env["PATH"] ?? "").split(":").filter((dir) => dir.startsWith("/"))])].join(
    ":",
  );
}

/** Environment for helper programs; nothing of the caller's but PATH, HOME and proxy-free basics. */
export function helperEnv(env: Env): Record<string, string> {
  return { PATH: searchPath(env), LC_ALL: "C", ...(env["HOME"] === undefined ? {} : { HOME: env["HOME"] }) };
}

const found = new Map<string, string>();

/** Absolute path, or undefined. */
export function findProgram(env: Env, name: string): string | undefined {
  const known = found.get(name);
  if (known !== undefined) return known;
  const dirs = [
    ...(name === "aardvark-dns" ? ["/usr/lib/podman", "/usr/libexec/podman"] : []),
    ...searchPath(env).split(":"),
  ];
  for (const dir of dirs) {
    const path = join(dir, name);
    if (isExecutable(path)) {
      found.set(name, path);
      return path;
    }
  }
  return undefined;
}

/** Absolute path, or `TSC_MISSING_PROGRAM`. */
export function needProgram(env: Env, name: string): string {
  const path = findProgram(env, name);
  if (path === undefined) throw missingProgram(name);
  return path;
}

/** Folders searched for CNI plugins: $CNI_PATH, then the usual ones. */
export function pluginDirs(env: Env): string[] {
  const own = (env["CNI_PATH"] ?? "").split(":").filter((dir) => dir.startsWith("/"));
  return [...own, ...PLUGIN_DIRS];
}

/** Absolute path of a CNI plugin; `type` was checked by `checkPluginType`. `TSC_MISSING_PROGRAM`. */
export function findPlugin(dirs: readonly string[], type: string): string {
  for (const dir of dirs) {
    const path = join(dir, type);
    if (isExecutable(path)) return path;
  }
  throw new TscError("TSC_MISSING_PROGRAM", `CNI plugin ${type} is not installed in ${dirs.join(", ")}`, {
    kind: "unavailable",
    hint: `run: ${installHint(type)}`,
  });
}
