/** What tests need of the machine: an ordinary user, private store roots, the program run as either, cleaning up after itself. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { clearLeftovers, type LeakReport, leaksSince, type Snapshot, snapshot } from "./leaks.js";

export const REPOSITORY = resolve(import.meta.dirname, "../..");
export const TSCOMPOSE = join(REPOSITORY, "bin/tscompose");
export const CACHE = process.env.TSCOMPOSE_TEST_CACHE ?? "/var/tmp/tscompose-tests";
const USER = "tsctest";

export type Mode = "root" | "user";
export const isRoot = process.getuid?.() === 0;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Makes the ordinary test user (with 65536 subordinate ids) when it is not there. Needs root. */
export function testUser(): Account {
  const find = () =>
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith(`${USER}:`))
      ?.split(":");
  if (find() === undefined) execFileSync("useradd", ["--create-home", "--shell", "/bin/bash", USER]);
  if (!readFileSync("/etc/subuid", "utf8").includes(`${USER}:`)) {
    execFileSync("usermod", ["--add-subuids", "1000000-1065535", "--add-subgids", "1000000-1065535", USER]);
  }
  for (const device of ["/dev/net/tun", "/dev/fuse"]) if (existsSync(device)) chmodSync(device, 0o666);
  const fields = find();
  if (fields === undefined) throw new Error("no test user");
  return { uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? "" };
}

/** One isolated host: its own store, its own project folders; ended with `down` of everything and a leak check. */
export class TestHost implements AsyncDisposable {
  readonly mode: Mode;
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly #account: Account | undefined;
  readonly #before: Snapshot;
  readonly #projects = new Set<string>();

  constructor(mode: Mode, env: Record<string, string> = {}) {
    this.mode = mode;
    this.#account = mode === "user" ? testUser() : undefined;
    this.folder = mkdtempSync(join(tmpdir(), `tsc-e2e-${mode}-`));
    chmodSync(this.folder, 0o755);
    this.env = {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: this.#account?.home ?? "/root",
      LANG: "C.UTF-8",
      TSCOMPOSE_ROOT: join(this.folder, "store"),
      TSCOMPOSE_RUN_ROOT: join(this.folder, "run"),
      ...env,
    };
    const folders = ["projects", "run"].map((name) => join(this.folder, name));
    for (const path of folders) mkdirSync(path, { mode: 0o755 });
    // as on a real machine, where /run and /run/user/UID are such file systems
    execFileSync("mount", ["-t", "tmpfs", "-o", "nosuid,nodev,noexec,mode=700", "tsc-run", join(this.folder, "run")]);
    this.#before = snapshot();
    if (this.#account !== undefined) {
      for (const path of [this.folder, ...folders]) chownSync(path, this.#account.uid, this.#account.gid);
    }
  }

  /** Writes a project folder (text files by relative path, or a folder to copy); its path. */
  project(name: string, files: Record<string, string> | string): string {
    const folder = join(this.folder, "projects", name);
    mkdirSync(folder, { recursive: true });
    if (typeof files === "string") cpSync(files, folder, { recursive: true });
    else {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(resolve(folder, path, ".."), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    }
    if (this.#account !== undefined) execFileSync("chown", ["-R", `${this.#account.uid}:${this.#account.gid}`, folder]);
    this.#projects.add(folder);
    return folder;
  }

  /** Runs `tscompose ARGS` in a folder; never throws for an exit code. */
  run(
    cwd: string,
    args: readonly string[],
    options: { input?: string | Buffer; env?: Record<string, string>; timeoutMs?: number } = {},
  ): Promise<Result> {
    return this.exec(cwd, [TSCOMPOSE, ...args], options);
  }

  /** Runs any program as this host's user. */
  exec(
    cwd: string,
    argv: readonly string[],
    options: { input?: string | Buffer; env?: Record<string, string>; timeoutMs?: number } = {},
  ): Promise<Result> {
    const [program, ...rest] = argv;
    if (program === undefined) throw new Error("nothing to run");
    const account = this.#account;
    const child = spawn(program, rest, {
      cwd,
      env: { ...this.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 120_000);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => out.push(data));
    child.stderr.on("data", (data: Buffer) => err.push(data));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    return new Promise((done, fail) => {
      child.on("error", fail);
      // 'exit', not 'close': a conmon that kept our pipe would hang the test instead of failing the leak check
      child.on("exit", (code, signal) => {
        clearTimeout(timer);
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
          done({
            code: code ?? (signal === "SIGKILL" ? 137 : 143),
            stdout: Buffer.concat(out).toString(),
            stderr: Buffer.concat(err).toString(),
          });
        }, 20);
      });
    });
  }

  /** Like `run`, and throws with the whole output unless it exits 0. */
  async must(cwd: string, ...args: string[]): Promise<string> {
    const result = await this.run(cwd, args);
    if (result.code !== 0)
      throw new Error(`tscompose ${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  /** What is left of this host after every project is down: mounts, namespaces, links, rules, processes. */
  async downAll(): Promise<void> {
    for (const folder of this.#projects) {
      if (existsSync(folder)) await this.run(folder, ["down", "-v", "-t", "0", "--remove-orphans"]);
    }
  }

  /** Differences to the machine before this host began. */
  leaks(): Promise<LeakReport> {
    return leaksSince(this.#before, this.folder);
  }

  /** Ends the process that holds the rootless namespaces, with them all that is mounted only there. */
  async endNamespaces(): Promise<void> {
    const file = join(this.folder, "run/pause.pid");
    if (!existsSync(file)) return;
    const [pid = 0, start = 0] = readFileSync(file, "utf8").trim().split(" ").map(Number);
    const state = () => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return Number(fields[19]) === start ? fields[0] : undefined;
      } catch {
        return undefined;
      }
    };
    if (pid > 1 && state() !== undefined) process.kill(pid, "SIGTERM");
    await eventually(() => !/[^ZX]/.test(state() ?? ""));
  }

  /** The namespace holder stays by design; here it ends with its host. Its start time guards against a reused pid. */
  #endPause(): void {
    const file = join(this.folder, "run/pause.pid");
    if (!existsSync(file)) return;
    const [pid, startTime] = readFileSync(file, "utf8").trim().split(" ");
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      if (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] === startTime) process.kill(Number(pid), "SIGKILL");
    } catch {
      // ended already
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.downAll();
    await this.endNamespaces();
    const report = await this.leaks();
    if (report.lines.length > 0) clearLeftovers(this.folder);
    this.#endPause();
    if (this.#account !== undefined && existsSync(this.folder)) {
      // files of subordinate ids: only root can remove them from out here
      execFileSync("chmod", ["-R", "u+rwX", this.folder], { stdio: "ignore" });
    }
    spawnSync("umount", ["-l", join(this.folder, "run")]);
    if (report.lines.length === 0) rmSync(this.folder, { recursive: true, force: true });
    if (report.lines.length > 0) throw new Error(`left behind:\n${report.lines.join("\n")}`);
  }
}

/** Polls until `check` returns a value that is neither undefined nor false; the last error or a timeout otherwise. */
export async function eventually<T>(
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw last ?? new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolveSoon) => setTimeout(resolveSoon, 100));
  }
}

/** A test on a fresh host, which it takes down again; the test's own failure comes first, leftovers count only when it passed. */
export const onHost =
  (mode: Mode, body: (host: TestHost) => Promise<void>, env: Record<string, string> = {}) =>
  async (): Promise<void> => {
    const host = new TestHost(mode, env);
    try {
      await body(host);
    } catch (error) {
      await host[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    await host[Symbol.asyncDispose]();
  };
