/**
 * Commands that die together with what they have started, as under the OOM killer, a process manager or the end of a control group. Needs
 * root; works on its own commands only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";

/** The process; it and its descendants; everything that was ever started below it and lives in its control group still. */
export type How = "alone" | "children" | "cgroup";
export const hows: readonly How[] = ["alone", "children", "cgroup"];

/** Where root's containers have groups of their own: in a version 1 hierarchy beside cgroup2, else in cgroup2. */
const HIERARCHY = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find((path) => existsSync(join(path, "cgroup.procs")));

/** One command in a control group of its own. */
export class Doomed {
  readonly child: ChildProcess;
  readonly #group: string | undefined;
  readonly #ended: Promise<unknown[]>;

  constructor(host: TestHost, cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#group = HIERARCHY === undefined ? undefined : join(HIERARCHY, `tsc-doomed-${process.pid}-${Doomed.#count++}`);
    if (this.#group !== undefined) mkdirSync(this.#group);
    const user = host.mode === "user" ? testUser() : undefined;
    const drop =
      user === undefined ? [] : ["setpriv", "--reuid", `${user.uid}`, "--regid", `${user.gid}`, "--clear-groups"];
    const joins = this.#group === undefined ? ":" : `echo $$ > ${this.#group}/cgroup.procs`;
    this.child = spawn("sh", ["-c", `${joins}; exec "$@"`, "sh", ...drop, TSCOMPOSE, ...args], {
      cwd,
      env: { ...host.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    this.#ended = once(this.child, "exit");
  }

  static #count = 0;

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Its processes, itself first, by the tree of parents. */
  tree(): number[] {
    const parents = new Map<number, number>();
    for (const entry of readdirSync("/proc")) {
      const parent = /^\d+$/.test(entry) ? statOf(Number(entry))?.parent : undefined;
      if (parent !== undefined) parents.set(Number(entry), parent);
    }
    const found = [this.child.pid ?? 0];
    for (let at = 0; at < found.length; at++) {
      for (const [pid, parent] of parents) if (parent === found[at]) found.push(pid);
    }
    return found;
  }

  /** Kills it while it runs; false when it had ended by itself. */
  async kill(how: How): Promise<boolean> {
    const wasRunning = this.isRunning;
    if (wasRunning) {
      // stopped first, parents before children, so that none starts another one while they die
      const doomed = how === "alone" ? [this.child.pid ?? 0] : how === "children" ? this.tree() : [];
      if (how === "children") for (const pid of doomed) signal(pid, "SIGSTOP");
      for (const pid of how === "children" ? this.tree() : doomed) signal(pid, "SIGKILL");
    }
    if (how === "cgroup" && wasRunning) {
      for (let left = this.#members(); left.length > 0; left = this.#members())
        for (const pid of left) signal(pid, "SIGKILL");
    }
    await this.end();
    return wasRunning;
  }

  /** Waits for its end. Its group goes when nothing it has started lives on there. */
  async end(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    const [code, ended] = (await this.#ended) as [number | null, NodeJS.Signals | null];
    this.child.stderr?.destroy();
    this.#leaveGroup();
    return { code, signal: ended };
  }

  #members(): number[] {
    if (this.#group === undefined) return [];
    return readFileSync(join(this.#group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  }

  #leaveGroup(): void {
    if (this.#group === undefined || !existsSync(this.#group)) return;
    // what lives on (containers, their monitors) goes up, where every other command's are
    for (let left = this.#members(); left.length > 0; left = this.#members())
      for (const pid of left) moveUp(HIERARCHY ?? "", pid);
    rmdirSync(this.#group);
  }
}

function moveUp(hierarchy: string, pid: number): void {
  try {
    writeFileSync(join(hierarchy, "cgroup.procs"), String(pid));
  } catch {
    // ended in this moment
  }
}

/** State letter and parent of a process; undefined when it is gone. */
export function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, name);
  } catch {
    // ended in this moment
  }
}
