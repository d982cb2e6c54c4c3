/**
 * Calls an OCI runtime (crun, runc) and chooses which one. The hot path needs no call at all: a created container is
 * started through its exec fifo and a dead one is deleted by removing what the runtime left.
 */
import { constants, existsSync, openSync, readSync } from "node:fs";
import { open, rm, unlink } from "node:fs/promises";
import { Socket } from "node:net";
import { basename, join } from "node:path";
import type { Kernel, ProcessIdentity } from "../../kernel/kernel.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import type { HostFacts } from "./host.js";
import type { RuntimeChoice } from "./record.js";

const SEARCH_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const START_TIMEOUT_MS = 30_000;

/** Absolute path of a program in the usual folders; undefined when it is missing. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith("/")) return existsSync(name) ? name : undefined;
  return SEARCH_PATH.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What a compose file may name; others must be named by the machine's owner first. */
const RUNTIMES = ["crun", "runc", "youki", "krun", "crun-vm", "crun-wasm", "runsc", "kata-runtime", "kata"];
const HINT = "name crun or runc, or give others as TSCOMPOSE_RUNTIMES=NAME=/PATH,…";

/**
 * The runtime that a container asks for: a known name in the usual folders, or one that the caller's environment gives a path. Never a path, and
 * no other program of the host: it would run with what the compose file says as its arguments.
 */
function runtimeNamed(wanted: string, env: Readonly<Record<string, string | undefined>>): string {
  const given = (env["TSCOMPOSE_RUNTIMES"] ?? "").split(",").find((entry) => entry.startsWith(`${wanted}=/`));
  if (given === undefined && (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(wanted) || !RUNTIMES.includes(wanted))) {
    throw new TscError("TSC_RUNTIME_UNKNOWN", `OCI runtime ${JSON.stringify(wanted)} is not one that may be named`, {
      kind: "invalid-input",
      hint: HINT,
      exitCode: 125,
    });
  }
  const path = findProgram(given === undefined ? wanted : given.slice(wanted.length + 1));
  if (path !== undefined) return path;
  throw new TscError("TSC_MISSING_PROGRAM", `OCI runtime ${JSON.stringify(wanted)} is not installed`, {
    kind: "unavailable",
    hint: `install it (apt-get install crun), or ${HINT}`,
    exitCode: 125,
  });
}

/** runc run by root makes a cgroup whatever it is told, and fails where it cannot. */
function refuseRuncWithoutCgroups(host: Pick<HostFacts, "cgroups" | "rootless">): void {
  if (host.rootless || host.cgroups.parent !== undefined) return;
  throw new TscError("TSC_RUNTIME_CGROUPS", `runc cannot run as root here: ${host.cgroups.reason}`, {
    kind: "unsupported",
    hint: "use crun (apt-get install crun), or give tscompose writable cgroups",
    exitCode: 125,
  });
}

/** crun where it works, else runc; `wanted` (a name) overrides. `TSC_MISSING_PROGRAM`, `TSC_RUNTIME_UNKNOWN`, `TSC_RUNTIME_CGROUPS`. */
export function chooseRuntime(
  ctx: Pick<EngineContext, "kernel" | "env">,
  host: Pick<HostFacts, "cgroups" | "rootless">,
  wanted: string | undefined,
): RuntimeChoice {
  const canHide = existsSync(ctx.kernel.helperPath("tsc-nsexec"));
  const isHybrid = host.cgroups.version === "hybrid";
  if (wanted !== undefined && wanted !== "" && wanted !== "io.containerd.runc.v2") {
    const path = runtimeNamed(wanted, ctx.env);
    const name = basename(path);
    if (name === "runc") refuseRuncWithoutCgroups(host);
    return { name, path, hideUnified: isHybrid && canHide && name === "crun", reason: "asked for by name" };
  }
  const crun = findProgram("crun");
  const runc = findProgram("runc");
  if (crun !== undefined && !isHybrid)
    return { name: "crun", path: crun, hideUnified: false, reason: "the faster one" };
  if (crun !== undefined && canHide) {
    const reason = "the faster one; cgroups are hybrid, which crun refuses, so cgroup2 is hidden from it";
    return { name: "crun", path: crun, hideUnified: true, reason };
  }
  if (runc !== undefined) {
    refuseRuncWithoutCgroups(host);
    const reason = isHybrid ? "cgroups are hybrid, which crun refuses" : "crun is not installed";
    return { name: "runc", path: runc, hideUnified: false, reason };
  }
  throw new TscError("TSC_MISSING_PROGRAM", "neither crun nor runc is installed", {
    kind: "unavailable",
    hint: "apt-get install crun",
    exitCode: 125,
  });
}

/** Where a runtime keeps its own state. */
export function runtimeRoot(ctx: Pick<EngineContext, "paths">, choice: RuntimeChoice): string {
  return join(ctx.paths.runRoot, "runtime", choice.name);
}

/** Arguments that go before the verb. */
export function globalArguments(
  ctx: Pick<EngineContext, "paths" | "rootless">,
  choice: RuntimeChoice,
  cgroupPath: string,
): string[] {
  const args = ["--root", runtimeRoot(ctx, choice)];
  if (cgroupPath === "" && choice.name === "crun") args.push("--cgroup-manager", "disabled");
  return args;
}

/** argv that runs `program` the way this choice needs it, with descriptors 3 … `descriptors` - 1 handed on. */
export function wrapped(
  kernel: Pick<Kernel, "helperPath">,
  choice: RuntimeChoice,
  program: string,
  args: readonly string[],
  descriptors = 3,
): { program: string; args: string[] } {
  if (!choice.hideUnified) return { program, args: [...args] };
  const keep = Array.from({ length: descriptors - 3 }, (_unused, index) => ["--keep-fd", String(index + 3)]).flat();
  return { program: kernel.helperPath("tsc-nsexec"), args: ["--hide-unified", ...keep, "--", program, ...args] };
}

const CALL_TIMEOUT_MS = 240_000;
const MAX_OUTPUT = 64 * 1024 * 1024;

/** One call of an OCI runtime. */
export interface RuntimeCall {
  readonly choice: RuntimeChoice;
  readonly cgroupPath: string;
  readonly verb: string;
  readonly args: readonly string[];
}

/** Runs one runtime verb to its end; its standard output. `TSC_RUNTIME_FAILED` carries what it said. */
export async function callRuntime(ctx: EngineContext, call: RuntimeCall): Promise<string> {
  const { program, args } = wrapped(ctx.kernel, call.choice, call.choice.path, [
    ...globalArguments(ctx, call.choice, call.cgroupPath),
    call.verb,
    ...call.args,
  ]);
  const result = await ctx.kernel.run(program, args, {
    env: runtimeEnvironment(ctx),
    cwd: "/",
    timeoutMs: CALL_TIMEOUT_MS,
    stdoutLimit: MAX_OUTPUT,
  });
  if (result.code === 0 && !result.overflow) return result.stdout;
  const said = result.timedOut ? "no answer" : printable(result.stderr.trim());
  throw new TscError("TSC_RUNTIME_FAILED", `${call.choice.name} ${call.verb}: ${said || `exit code ${result.code}`}`);
}

/** The scrubbed environment of runtimes and conmon. */
export function runtimeEnvironment(ctx: Pick<EngineContext, "paths" | "env">): Record<string, string> {
  return {
    PATH: SEARCH_PATH.join(":"),
    TMPDIR: join(ctx.paths.runRoot, "tmp"),
    XDG_RUNTIME_DIR: ctx.paths.runRoot,
    HOME: "/root",
  };
}

/**
 * Starts a created container as `runtime start` does, without that process: runc's init waits in a write to the fifo
 * (and the fifo's absence means "running"), crun's waits in a read. Rejects when init dies first.
 */
export async function startCreated(
  ctx: EngineContext,
  choice: RuntimeChoice,
  cgroupPath: string,
  id: string,
  init: ProcessIdentity,
): Promise<void> {
  const fifo = join(runtimeRoot(ctx, choice), id, "exec.fifo");
  if (choice.name === "crun") {
    const file = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (errnoOf(error) === "ENXIO") return undefined;
      throw error;
    });
    if (file === undefined) throw initDied(id);
    try {
      await unlink(fifo);
      await file.write("1");
    } finally {
      await file.close();
    }
    return;
  }
  if (choice.name === "runc") {
    await readFifo(ctx, fifo, init, id);
    await unlink(fifo);
    return;
  }
  await callRuntime(ctx, { choice, cgroupPath, verb: "start", args: [id] });
}

function initDied(id: string): TscError {
  return new TscError("TSC_CONTAINER_START", `container ${id.slice(0, 12)}: its first process ended before the start`, {
    exitCode: 125,
  });
}

/**
 * Opened for both directions so that neither open nor a dead writer can block, and what init wrote stays to be read when its program has
 * ended since; read through the event loop.
 */
async function readFifo(ctx: EngineContext, path: string, init: ProcessIdentity, id: string): Promise<void> {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  // A bare descriptor: the socket owns it and closes it.
  const socket = new Socket({ fd, writable: false });
  const ended = new AbortController();
  let isHeard = false;
  const heard = new Promise<void>((resolve, reject) => {
    socket.once("data", () => {
      isHeard = true;
      resolve();
    });
    socket.once("error", reject);
  });
  const exited = async (): Promise<void> => {
    await ctx.kernel.waitForExit(init, AbortSignal.any([ended.signal, AbortSignal.timeout(START_TIMEOUT_MS)]));
    // Its last word may be in the pipe, or read and not handed on yet.
    await new Promise((resolve) => setImmediate(resolve));
    if (!isHeard && !hasByte(fd)) throw initDied(id);
  };
  try {
    await Promise.race([heard, exited()]);
  } finally {
    ended.abort();
    socket.destroy();
  }
}

function hasByte(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) > 0;
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return false;
    throw error;
  }
}

/** Forgets a container whose init is dead: its state folder and its cgroups, without a process where that is possible. */
export async function deleteDead(
  ctx: EngineContext,
  host: HostFacts,
  choice: RuntimeChoice,
  cgroupPath: string,
  id: string,
): Promise<void> {
  const state = join(runtimeRoot(ctx, choice), id);
  const { removeCgroups } = await import("./cgroups.js");
  const isKnown = choice.name === "crun" || choice.name === "runc";
  if (isKnown && (await removeCgroups(host, cgroupPath))) {
    await rm(state, { recursive: true, force: true });
    return;
  }
  if (!existsSync(state)) return;
  await callRuntime(ctx, { choice, cgroupPath, verb: "delete", args: ["--force", id] });
}
