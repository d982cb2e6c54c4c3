/** What fault tests share: killing commands at chosen moments, finding a host's processes, a machine that can lose its power. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, type FSWatcher, mkdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "@jest/globals";
import { eventually, isRoot, type Mode, type Result, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";
import { processesOf } from "./traces.js";

export { processesOf, unfinished } from "./traces.js";

/** Faults need real containers, and those root. */
export const check = isRoot ? test : test.skip;
export const modes: Mode[] = ["root", "user"];

/** A service that answers `answer` on port 80, published on a port of the host's choice, with `more` lines of its own. */
export const answering = (image: string, more = ""): string => `
  web:
    image: "${image}"
    command: sh -c "mkdir -p /www && echo answer > /www/index.html && exec httpd -f -p 80 -h /www"
    init: true
    ports: ["127.0.0.1:0:80"]
    stop_grace_period: 0s
    ${more}`;

function start(host: TestHost, cwd: string, args: readonly string[]): ChildProcess {
  const user = host.mode === "user" ? testUser() : undefined;
  return spawn(TSCOMPOSE, [...args], {
    cwd,
    env: host.env,
    stdio: "ignore",
    detached: true,
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
}

function killGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it ended by itself in this moment
  }
}

/** Starts the command in its own process group and kills the whole group after a delay. */
export async function killedAfter(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  delayMs: number,
): Promise<void> {
  const child = start(host, cwd, args);
  const exited = once(child, "exit");
  const timer = setTimeout(() => killGroup(child), delayMs);
  await exited;
  clearTimeout(timer);
}

/**
 * Kills the command's process group at the `nth` change of entries in a folder of the host (`run/netns`, `store/storage/tmp` …).
 * False when it ended before that.
 */
export async function killedAt(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  folder: string,
  nth: number,
): Promise<boolean> {
  const child = start(host, cwd, args);
  const exited = once(child, "exit");
  let seen = 0;
  let watcher: FSWatcher | undefined;
  const look = () => {
    watcher = watch(join(host.folder, folder), () => {
      seen++;
      if (seen === nth) killGroup(child);
    });
    watcher.on("error", () => {});
  };
  if (!existsSync(join(host.folder, folder))) throw new Error(`${folder} is not there to be watched`);
  look();
  await exited;
  watcher?.close();
  return child.signalCode === "SIGKILL" || seen >= nth;
}

/** SIGKILLs them and waits until they are gone (zombies count as gone). */
export async function killAll(host: TestHost, name: string): Promise<number> {
  const found = processesOf(host, name);
  for (const { pid } of found) process.kill(pid, "SIGKILL");
  await eventually(() => processesOf(host, name).every(({ pid }) => !found.some((one) => one.pid === pid)));
  return found.length;
}

export interface Row {
  readonly Service: string;
  readonly State: string;
  readonly ExitCode: number;
  readonly Health: string;
  readonly ID: string;
}

/** `ps -a --format json`. */
export async function rows(host: TestHost, folder: string): Promise<Row[]> {
  const text = await host.must(folder, "ps", "-a", "--format", "json");
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

/**
 * A machine of its own: pid, mount and network namespaces, the run root on a tmpfs, a boot id. Its end is a loss of power: every process
 * dies at once, mounts, links and the run root are gone, the store stays.
 */
export class Machine implements AsyncDisposable {
  readonly #host: TestHost;
  #init: ChildProcess | undefined;
  #pid = 0;

  constructor(host: TestHost) {
    this.#host = host;
  }

  async boot(bootId?: string): Promise<void> {
    const run = join(this.#host.folder, "run");
    mkdirSync(run, { recursive: true });
    const user = this.#host.mode === "user" ? testUser() : undefined;
    const owner = user === undefined ? "" : `,uid=${user.uid},gid=${user.gid}`;
    const lines = [`ip link set lo up`, `mount -t tmpfs -o mode=700${owner} none ${run}`];
    if (bootId !== undefined) {
      writeFileSync(join(this.#host.folder, "boot_id"), `${bootId}\n`);
      lines.push(`mount --bind ${this.#host.folder}/boot_id /proc/sys/kernel/random/boot_id`);
    }
    const script = `set -e\n${lines.join("\n")}\necho up\nwhile :; do wait; read -r _ || exit; done`;
    const flags = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const init = spawn("unshare", [...flags, "--propagation", "private", "sh", "-c", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#init = init;
    await once(init.stdout, "data");
    const children = readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, "utf8").trim().split(" ");
    this.#pid = Number(children[0]);
  }

  /** `tscompose ARGS` on this machine. */
  async run(cwd: string, ...args: string[]): Promise<Result> {
    const user = this.#host.mode === "user" ? testUser() : undefined;
    const drop =
      user === undefined ? [] : ["setpriv", "--reuid", `${user.uid}`, "--regid", `${user.gid}`, "--clear-groups"];
    const enter = ["--target", `${this.#pid}`, "--mount", "--net", "--ipc", "--pid", `--wd=${cwd}`];
    const child = spawn("nsenter", [...enter, ...drop, TSCOMPOSE, ...args], {
      env: this.#host.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data;
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data;
    });
    const [code] = (await once(child, "exit")) as [number | null];
    await new Promise((resolve) => setTimeout(resolve, 20));
    child.stdout.destroy();
    child.stderr.destroy();
    return { code: code ?? 137, stdout, stderr };
  }

  async must(cwd: string, ...args: string[]): Promise<string> {
    const result = await this.run(cwd, ...args);
    if (result.code !== 0)
      throw new Error(`${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  /** Power off. */
  async cut(): Promise<void> {
    const init = this.#init;
    if (init === undefined) return;
    this.#init = undefined;
    const exited = once(init, "exit");
    process.kill(this.#pid, "SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }
}
