/** Running a second process in a container, and attaching to its first one. */
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PacketSocket } from "../../kernel/kernel.js";
import { processPath } from "../../kernel/proc.js";
import { errnoOf, isTscError, TscError } from "../../lib/errors.js";
import { notRunning } from "../errors.js";
import { keptEnv } from "../secrets/index.js";
import { type ContainerRow, containerById } from "../state/containers.js";
import type { ExecSpec, StdioSession } from "../types.js";
import { conmonExec, type ExecSession } from "./conmon.js";
import type { RuntimeDeps } from "./deps.js";
import { bundleOf, eventAttributes, folderOf, livingPid, readBundleConfig } from "./lookup.js";
import { CAPABILITIES } from "./oci/capabilities.js";
import { lacksDeviceFilter, refused } from "./oci/device-filter.js";
import { ociJson } from "./oci/spec.js";
import type { OciProcess } from "./oci/types.js";
import { resolveUser } from "./oci/users.js";
import { runtimeReason } from "./reasons.js";
import { openSession, sendControl } from "./session.js";
import { requireRunning } from "./stop.js";

const MAX_PASSWD_BYTES = 4 << 20;

/** Starts a process; the session ends with it. `TSC_EXEC` with exit code 126 or 127 when it cannot be run. */
export async function execContainer(deps: RuntimeDeps, row: ContainerRow, spec: ExecSpec): Promise<StdioSession> {
  const { ctx } = deps;
  requireRunning(row);
  if (row.state === "paused") {
    throw new TscError("TSC_CONTAINER_PAUSED", `container ${row.name} is paused, unpause it before exec`, {
      kind: "conflict",
    });
  }
  if (spec.privileged === true && lacksDeviceFilter(deps.host(), row.spec))
    throw refused(row.name, "exec --privileged");
  const { runtime } = row.record;
  if (runtime === undefined) throw new TscError("TSC_INTERNAL", `container ${row.name} has no runtime recorded`);
  const sessionId = randomBytes(8).toString("hex");
  // Short: conmon's socket path must fit sun_path.
  const sessions = join(bundleOf(ctx, row.id), "x");
  const folder = join(sessions, sessionId);
  // Not the bundle itself: whoever has settled the container meanwhile has removed it for good.
  await mkdir(sessions, { mode: 0o700 }).catch(ignoreExisting);
  await mkdir(folder, { mode: 0o700 });
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const isDetached = spec.detach === true;
  let session: ExecSession | undefined;
  let socket: PacketSocket | undefined;
  try {
    const processFile = join(folder, "process.json");
    await writeFile(processFile, ociJson(await execProcess(deps, row, spec)), { mode: 0o600 });
    session = await conmonExec(ctx, {
      id: row.id,
      sessionId,
      folder,
      choice: runtime,
      cgroupPath: row.record.cgroupPath ?? "",
      processFile,
      tty: spec.tty === true,
      stdin: spec.stdin === true,
      attach: !isDetached,
    });
    if (!isDetached) socket = await ctx.kernel.connectPacketSocket(join(folder, "attach"));
    const pid = await session.go();
    ctx.emit({
      type: "container",
      action: `exec_start: ${spec.argv.join(" ")}`,
      id: row.id,
      name: row.name,
      attributes: eventAttributes(row, { execID: sessionId }),
    });
    // The terminal exists once the process does.
    if (spec.size !== undefined && spec.tty === true) {
      await sendControl(folder, `1 ${spec.size.rows} ${spec.size.columns}\n`);
    }
    if (socket === undefined) {
      const detachedSession = session;
      const identity = ctx.kernel.processIdentity(pid);
      detachedSession.release();
      if (identity === undefined) await removeFolder();
      return finishedSession();
    }
  } catch (error) {
    socket?.close();
    session?.release();
    await removeFolder();
    if (!isTscError(error, "TSC_RUNTIME_EXEC")) throw error;
    const reason = runtimeReason(error.message, spec.argv[0] ?? "", 126);
    throw new TscError("TSC_EXEC", `OCI runtime exec failed: ${reason.message}`, {
      exitCode: reason.exitCode,
      cause: error,
    });
  }
  const running = session;
  const exit = running.exitCode().then(async (code) => {
    running.release();
    ctx.emit({
      type: "container",
      action: "exec_die",
      id: row.id,
      name: row.name,
      attributes: eventAttributes(row, { execID: sessionId, exitCode: String(code) }),
    });
    await removeFolder();
    return code;
  });
  return openSession({ socket, folder, exit, whenSlow: "pause", onClose: () => running.release() });
}

function ignoreExisting(error: unknown): void {
  if (errnoOf(error) !== "EEXIST") throw error;
}

function finishedSession(): StdioSession {
  return {
    output: (async function* () {})(),
    write: async () => undefined,
    endInput: async () => undefined,
    resize: async () => undefined,
    exit: Promise.resolve(undefined),
    detach: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The container's process with another command line, user, environment; capabilities never more than its bounding set. */
async function execProcess(deps: RuntimeDeps, row: ContainerRow, spec: ExecSpec): Promise<OciProcess> {
  const { ctx } = deps;
  if (spec.argv.length === 0) {
    throw new TscError("TSC_NO_COMMAND", "exec: no command specified", { kind: "invalid-input" });
  }
  const config = await readBundleConfig(ctx, row.id);
  const base = config.process;
  const pid = livingPid(ctx, row);
  if (pid === undefined) {
    throw notRunning(row.name);
  }
  const root = processPath(pid, "root");
  const etc = (name: string): string =>
    ctx.kernel.readFileInRoot(root, `/etc/${name}`, MAX_PASSWD_BYTES)?.toString() ?? "";
  const user =
    spec.user === undefined || spec.user === ""
      ? undefined
      : resolveUser({
          user: spec.user,
          groupAdd: row.spec.groupAdd ?? [],
          passwd: etc("passwd"),
          group: etc("group"),
          exitCode: 126,
        });
  const cwd = spec.workingDir ?? base.cwd;
  if (!cwd.startsWith("/") || /^\/+proc\/+(self|thread-self|\d+)\/+fd/.test(cwd)) {
    throw new TscError("TSC_WORKING_DIR", `working directory ${JSON.stringify(cwd)} is refused`, {
      kind: "invalid-input",
      exitCode: 126,
    });
  }
  const env = new Map(base.env.map((line) => [line.slice(0, line.indexOf("=")), line]));
  const given = keptEnv(folderOf(ctx, row.id), row.spec).env;
  if (user !== undefined && given?.HOME === undefined) env.set("HOME", `HOME=${user.home || "/"}`);
  if (spec.tty === true && !env.has("TERM")) env.set("TERM", "TERM=xterm");
  for (const [name, value] of Object.entries(spec.env ?? {})) env.set(name, `${name}=${value}`);
  const uid = user?.uid ?? base.user.uid;
  const bounding =
    spec.privileged === true
      ? CAPABILITIES.filter((name) => deps.host().boundingCaps.has(name))
      : base.capabilities.bounding;
  const held = uid === 0 ? bounding : [];
  const { consoleSize: _size, ...rest } = base;
  // docker: what it may do with every capability, the profile would still deny
  const open = spec.privileged === true && base.apparmorProfile !== undefined ? { apparmorProfile: "unconfined" } : {};
  return {
    ...rest,
    ...open,
    terminal: spec.tty === true,
    ...(spec.size === undefined || spec.tty !== true
      ? {}
      : { consoleSize: { height: spec.size.rows, width: spec.size.columns } }),
    user:
      user === undefined
        ? base.user
        : {
            ...base.user,
            uid: user.uid,
            gid: user.gid,
            additionalGids: deps.host().singleId ? [] : user.additionalGids,
          },
    args: spec.argv,
    env: [...env.values()],
    cwd,
    capabilities: { bounding, effective: held, permitted: held, inheritable: [], ambient: [] },
  };
}

/** Connects to a container's stdio. Before the start there is no conmon, so a created container is attached by `start` itself. */
export async function attachContainer(
  deps: RuntimeDeps,
  row: ContainerRow,
  wait: (id: string) => Promise<number>,
): Promise<StdioSession> {
  requireRunning(row);
  const { ctx } = deps;
  const folder = bundleOf(ctx, row.id);
  const socket = await ctx.kernel.connectPacketSocket(join(folder, "attach"));
  ctx.emit({ type: "container", action: "attach", id: row.id, name: row.name, attributes: eventAttributes(row) });
  const fresh = containerById(ctx.state, row.id);
  if (fresh === undefined) socket.close();
  return openSession({ socket, folder, exit: wait(row.id), whenSlow: "drop", onClose: () => undefined });
}
