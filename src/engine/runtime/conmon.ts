/**
 * Starts conmon, one per container or exec session, and speaks its pipe protocol (conmon 2.1: sync pipe 3, start pipe 4,
 * attach pipe 5). Knows nothing of rows or networks.
 */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import type { ProcessIdentity, RunProgramOptions, RunProgramResult } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { findProgram, globalArguments, runtimeEnvironment, wrapped } from "./oci-runtime.js";
import type { RuntimeChoice } from "./record.js";
import { parseSyncLine, SyncPipe } from "./sync-pipe.js";

const CREATE_TIMEOUT_MS = 240_000;

/** What conmon is told to create a container. */
export interface ConmonCreate {
  readonly id: string;
  readonly name: string;
  readonly bundle: string;
  readonly choice: RuntimeChoice;
  readonly cgroupPath: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** conmon ends stdin when any client leaves, unless told to leave it open. */
  readonly leaveStdinOpen: boolean;
  /** undefined = no log. */
  readonly logPath: string | undefined;
}

/** The two processes of a created container. */
export interface CreatedContainer {
  readonly init: ProcessIdentity;
  readonly conmon: ProcessIdentity;
}

/** conmon's path; `TSC_MISSING_PROGRAM`. */
export function conmonPath(): string {
  const path = findProgram("conmon");
  if (path !== undefined) return path;
  throw new TscError("TSC_MISSING_PROGRAM", "conmon is not installed", {
    kind: "unavailable",
    hint: "apt-get install conmon",
    exitCode: 125,
  });
}

/**
 * conmon with a created (not started) container. `TSC_RUNTIME_CREATE` carries the runtime's words. The caller owns the
 * bundle, whose config.json is written.
 */
export async function conmonCreate(ctx: EngineContext, request: ConmonCreate): Promise<CreatedContainer> {
  const { id, bundle } = request;
  const conmonPidFile = join(bundle, "conmon.pid");
  const args = [
    ...commonArguments(ctx, request, id, bundle),
    "-n",
    request.name,
    "-P",
    conmonPidFile,
    "--exit-dir",
    ctx.paths.exits,
    "--persist-dir",
    bundle,
    "--no-sync-log",
    ...(request.tty ? ["-t"] : request.stdin ? ["-i"] : []),
    ...(request.leaveStdinOpen ? ["--leave-stdin-open"] : []),
    "-l",
    request.logPath === undefined ? "none" : `k8s-file:${request.logPath}`,
  ];
  const command = wrapped(ctx.kernel, request.choice, conmonPath(), args, 5);
  const result = await runToEnd(ctx, command, {
    env: conmonEnvironment(ctx),
    cwd: bundle,
    newSession: true,
    noStdout: true,
    inputDescriptor: 4,
    zeroByte: true,
    lineDescriptor: 3,
    timeoutMs: CREATE_TIMEOUT_MS,
  });
  if (result.timedOut) throw new TscError("TSC_CONMON_TIMEOUT", "conmon did not answer", { kind: "timeout" });
  if (result.code !== 0) {
    const said = printable(result.stderr.trim()) || `exit code ${result.code}`;
    throw new TscError("TSC_CONMON_FAILED", `conmon: ${said}`, { exitCode: 125 });
  }
  const line = result.line === undefined ? undefined : parseSyncLine(result.line.trimEnd());
  if (line === undefined || line.data <= 0) {
    throw new TscError("TSC_RUNTIME_CREATE", printable(line?.message ?? "conmon ended without an answer", 2000), {
      exitCode: 125,
    });
  }
  const init = ctx.kernel.processIdentity(line.data);
  const conmon = ctx.kernel.processIdentity(Number(readFileSync(conmonPidFile, "utf8")));
  if (init === undefined || conmon === undefined) {
    throw new TscError("TSC_RUNTIME_CREATE", "the container's first process ended at once", { exitCode: 125 });
  }
  return { init, conmon };
}

/** What conmon is told to run a program in a container. */
export interface ConmonExec {
  readonly id: string;
  readonly sessionId: string;
  /** Folder of the session: sockets, pid file, process.json. */
  readonly folder: string;
  readonly choice: RuntimeChoice;
  readonly cgroupPath: string;
  readonly processFile: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly attach: boolean;
}

/** An exec's conmon, waiting (when attaching) for `go` before it runs anything. */
export interface ExecSession {
  /** Runs the process; its pid. Rejects with the runtime's words (`TSC_RUNTIME_EXEC`). */
  go(): Promise<number>;
  /** The exit code; call after `go`. */
  exitCode(): Promise<number>;
  /** Lets go of conmon's pipes. */
  release(): void;
}

/** Starts conmon for an exec. When it attaches, resolves once the attach socket is there. */
export async function conmonExec(ctx: EngineContext, request: ConmonExec): Promise<ExecSession> {
  // with a terminal crun would write what went wrong there, where conmon does not look
  const log = join(request.folder, "runtime.log");
  const args = [
    ...commonArguments(ctx, request, request.sessionId, request.folder),
    ...["--log", log].flatMap((word) => ["--runtime-arg", word]),
    "--exit-dir",
    request.folder,
    "-e",
    "--exec-process-spec",
    request.processFile,
    ...(request.attach ? ["--exec-attach"] : []),
    ...(request.tty ? ["-t"] : []),
    ...(request.stdin && !request.tty ? ["-i"] : []),
    "-l",
    "none",
  ];
  const child = spawnConmon(ctx, request.choice, args, request.folder, request.attach ? 6 : 5);
  const sync = new SyncPipe(child.stdio[3] as Readable);
  const start = child.stdio[4] as Duplex;
  // A conmon that ended at once reads nothing; its exit code says why.
  start.on("error", () => undefined);
  const attached = request.attach
    ? new SyncPipe((child.stdio as unknown as readonly Readable[])[5] as Readable)
    : undefined;
  const letGo = (): void => {
    sync.close();
    attached?.close();
    start.destroy();
    release(child);
  };
  try {
    const exited = exitOf(child);
    start.write("\0");
    const { code, stderr } = await exited;
    if (code !== 0)
      throw new TscError("TSC_CONMON_FAILED", `conmon: ${stderr || `exit code ${code}`}`, { exitCode: 126 });
    if (attached !== undefined) {
      const ready = await attached.next(CREATE_TIMEOUT_MS);
      if (ready === undefined)
        throw new TscError("TSC_CONMON_FAILED", "conmon ended before the exec", { exitCode: 126 });
    }
  } catch (error) {
    letGo();
    throw error;
  }
  return {
    async go() {
      if (attached !== undefined) start.write("\0");
      const line = await sync.next(CREATE_TIMEOUT_MS);
      if (line === undefined || line.data < 0) {
        const logged = await readFile(log, "utf8").catch(() => "");
        const said = [line?.message ?? "", logged.trim().split("\n").at(-1) ?? ""].find((text) => text.trim() !== "");
        throw new TscError("TSC_RUNTIME_EXEC", printable(said ?? "conmon ended without an answer", 2000), {
          exitCode: 126,
        });
      }
      return line.data;
    },
    async exitCode() {
      const line = await sync.next(undefined);
      return line === undefined || line.data < 0 ? 137 : line.data;
    },
    release: letGo,
  };
}

function commonArguments(
  ctx: EngineContext,
  request: { readonly id: string; readonly choice: RuntimeChoice; readonly cgroupPath: string },
  uuid: string,
  bundle: string,
): string[] {
  const runtimeArgs = globalArguments(ctx, request.choice, request.cgroupPath);
  return [
    "--api-version",
    "1",
    "-c",
    request.id,
    "-u",
    uuid,
    "-r",
    request.choice.path,
    "-b",
    bundle,
    "-p",
    join(bundle, "pid"),
    "--full-attach",
    "--log-level",
    "error",
    ...runtimeArgs.flatMap((arg) => ["--runtime-arg", arg]),
  ];
}

function spawnConmon(
  ctx: EngineContext,
  choice: RuntimeChoice,
  args: readonly string[],
  cwd: string,
  descriptors: number,
): ChildProcess {
  const command = wrapped(ctx.kernel, choice, conmonPath(), args, descriptors);
  return ctx.kernel.spawn(command.program, command.args, {
    cwd,
    // Out of our process group: a ^C at the terminal is for us, not for containers.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", ...Array.from({ length: descriptors - 3 }, () => "pipe" as const)],
    env: { ...conmonEnvironment(ctx), ...(descriptors > 5 ? { _OCI_ATTACHPIPE: "5" } : {}) },
  });
}

function conmonEnvironment(ctx: EngineContext): Record<string, string> {
  return { ...runtimeEnvironment(ctx), _OCI_SYNCPIPE: "3", _OCI_STARTPIPE: "4" };
}

async function runToEnd(
  ctx: EngineContext,
  command: { readonly program: string; readonly args: readonly string[] },
  options: RunProgramOptions,
): Promise<RunProgramResult> {
  try {
    return await ctx.kernel.run(command.program, command.args, options);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new TscError("TSC_CONMON_FAILED", `conmon cannot be started: ${words}`, { cause, exitCode: 125 });
  }
}

/** 'exit', not 'close': the daemonised half keeps descriptors open as long as the container lives. */
function exitOf(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const errors: Buffer[] = [];
  child.stderr?.on("data", (data: Buffer) => {
    if (errors.length < 16) errors.push(data);
  });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new TscError("TSC_CONMON_FAILED", `conmon cannot be started: ${cause.message}`, { cause, exitCode: 125 }));
    });
    child.once("exit", (code) => resolve({ code, stderr: printable(Buffer.concat(errors).toString().trim()) }));
  });
}

/** Nothing of conmon may keep Node alive. */
function release(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
}
