/**
 * The kernel's view before and after: mounts, links, rules, namespaces, processes, cgroups, shared memory, temporary files. Asks /proc, /sys
 * and iproute2, never the program; then compares the host's folders with what its database knows.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { storeStrays } from "./strays.js";

export interface Snapshot {
  readonly mounts: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly processes: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}
export interface LeakReport {
  readonly lines: readonly string[];
}

const run = (program: string, ...args: string[]): string => {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
};

function mounts(): Set<string> {
  return new Set(
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .flatMap((line) => line.split(" ")[4] ?? []),
  );
}

function links(): Set<string> {
  const parsed: unknown = JSON.parse(run("ip", "-j", "link") || "[]");
  return new Set((parsed as { ifname: string }[]).map((link) => link.ifname));
}

function rules(): Set<string> {
  const text = `${run("iptables-save")}\n${run("ip6tables-save")}\n${run("nft", "list", "tables")}`;
  // empty built-in tables and chains with counters are no leak
  return new Set(text.split("\n").filter((line) => line.startsWith("-A") || line.startsWith("-N")));
}

/** Containers' cgroups of every controller, shared memory, and what our programs put into the common temporary folder. */
function files(): Set<string> {
  const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
  const controllers = ["/sys/fs/cgroup", ...list("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name))];
  const cgroups = controllers
    .map((controller) => join(controller, "tscompose"))
    .flatMap((folder) => list(folder).flatMap((name) => (/^[0-9a-f]{64}$/.test(name) ? [join(folder, name)] : [])));
  // what failed scenarios leave on purpose is no leak
  const temporary = list("/tmp").filter((name) =>
    /^\.?(tscompose(?!-artefacts$)|conmon|runc|slirp|aardvark|libpod)/.test(name),
  );
  return new Set([
    ...cgroups,
    ...list("/dev/shm").map((name) => `/dev/shm/${name}`),
    ...temporary.map((name) => `/tmp/${name}`),
  ]);
}

const WATCHED = new Set([
  "conmon",
  "slirp4netns",
  "pasta",
  "pasta.avx2",
  "aardvark-dns",
  "tsc-supd",
  "tsc-portd",
  "tsc-pause",
  "tsc-nsexec",
  "catatonit",
  "crun",
  "runc",
  "runc:[2:INIT]",
  "fuse-overlayfs",
]);

/** Processes of the kinds the engine starts, plus everything in a pid namespace of its own, as `pid name arguments`. */
function processes(): Map<string, string> {
  const found = new Map<string, string>();
  const ours = readlinkSync("/proc/self/ns/pid");
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
      if (state === "Z" || state === "X") continue;
      const foreign = readlinkSync(`/proc/${pid}/ns/pid`) !== ours;
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      // the program itself: no Node of ours stays
      if (!foreign && !WATCHED.has(name) && !argv.includes("/dist/main.cjs ")) continue;
      found.set(`${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`, `${pid} ${name} ${argv}`);
    } catch {
      // ended meanwhile
    }
  }
  return found;
}

/** The state to compare with later. */
export function snapshot(): Snapshot {
  return { mounts: mounts(), links: links(), rules: rules(), processes: new Set(processes().keys()), files: files() };
}

/** What the machine has beyond `before`. */
function leaksNow(before: Snapshot): string[] {
  return [
    ...[...mounts()].filter((mount) => !before.mounts.has(mount)).map((mount) => `mount ${mount}`),
    ...[...links()].filter((link) => !before.links.has(link)).map((link) => `link ${link}`),
    ...[...rules()].filter((rule) => !before.rules.has(rule)).map((rule) => `rule ${rule}`),
    ...[...processes()]
      .filter(([key, text]) => !before.processes.has(key) && !isPause(text))
      .map(([, text]) => `process ${text}`),
    ...[...files()].filter((file) => !before.files.has(file)).map((file) => `file ${file}`),
  ];
}

/** Waits up to 5 s for the machine to look like `before`; what still differs. The rootless pause process is allowed to stay. */
export async function leaksSince(before: Snapshot, folder: string): Promise<LeakReport> {
  let lines: string[] = [];
  for (let attempt = 0; attempt < 50; attempt++) {
    lines = [...leaksNow(before), ...storeStrays(folder).map((stray) => `stray ${join(folder, stray)}`)];
    // somebody else is working on this machine: only what names this host can be told apart
    if (process.env["TSCOMPOSE_TEST_SHARED_MACHINE"] !== undefined) {
      const chains = `TSC-${createHash("sha256").update(join(folder, "run")).digest("hex").slice(0, 8)}-`;
      lines = lines.filter((line) => line.includes(folder) || line.includes(chains));
    }
    if (lines.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { lines: lines.map((line) => `${line} (host ${folder})`) };
}

/** After a leak was reported: ends what still runs out of this folder and unmounts it, so that one failure does not become many. */
export function clearLeftovers(folder: string): void {
  const end = (pid: string): void => {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // ended meanwhile
    }
  };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!argv.includes(`${folder}/`) || Number(pid) === process.pid) continue;
      const bundle = /\0-b\0([^\0]+)\0/.exec(argv)?.[1];
      end(pid);
      // a container outlives its conmon
      if (bundle?.startsWith(folder) === true) end(readFileSync(`${bundle}/pid`, "utf8").trim());
    } catch {
      // ended meanwhile, or never had a pid file
    }
  }
  const below = [...mounts()].filter((mount) => mount.startsWith(`${folder}/`));
  for (const mount of below.toReversed()) run("umount", "-l", mount);
}

const isPause = (text: string): boolean => /^\d+ (tsc-pause|catatonit)\b/.test(text) && !text.includes("--");
