/** The process that connects the rootless namespace with the outside: slirp4netns, or pasta. Owns its record and its files. */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { findProgram, helperEnv, missingProgram } from "./programs.js";
import { run } from "./run.js";
import { parseResolvConf, readHostResolvConf } from "./site.js";

/** What slirp4netns makes in the namespace, and ports arrive by that it forwards; pasta, which forwards none, has names of its own. */
export const UPLINK_INTERFACE = "tap0";

/** A living uplink. */
interface Uplink extends ProcessIdentity {
  readonly kind: "slirp4netns" | "pasta";
}

/** The way out of a rootless namespace; the process lives on when the command ends. */
export interface UplinkProcess {
  /** slirp4netns's API socket. */
  readonly socket: string;
  /** What resolvers in the namespace read. */
  readonly resolvConf: string;
  /** The one that runs, if any. */
  running(): Uplink | undefined;
  /** Starts one on the pinned namespace; resolves when it is ready. `TSC_UPLINK_FAILED`, `TSC_MISSING_PROGRAM`. */
  start(): Promise<void>;
  /** Ends it and removes its files; none is no error. */
  end(): Promise<void>;
}

/** The uplink of the namespace pinned at `pin`. */
export function uplinkProcess(ctx: EngineContext, pin: string): UplinkProcess {
  const { kernel, paths } = ctx;
  const socket = join(paths.network, "slirp.sock");
  const record = join(paths.network, "uplink.json");
  const resolvConf = join(paths.network, "resolv.conf");
  const log = join(paths.network, "uplink.log");
  const env = helperEnv(ctx.env);

  const running = (): Uplink | undefined => {
    try {
      const saved = JSON.parse(readFileSync(record, "utf8")) as Uplink;
      return kernel.isAlive(saved) ? saved : undefined;
    } catch {
      return undefined;
    }
  };
  /** Written before an uplink is started: a command killed here leaves a process that only a search can find. */
  const STARTING: Uplink = { pid: 0, startTime: "", kind: "slirp4netns" };

  /** Ends an uplink whose start nobody survived to write down; nothing, without a search, after every ordinary end. */
  async function endUnknown(): Promise<void> {
    let saved: Partial<Uplink> | undefined;
    try {
      saved = JSON.parse(readFileSync(record, "utf8")) as Partial<Uplink>;
    } catch {
      // a file cut short says as little as the mark
      saved = existsSync(record) ? STARTING : undefined;
    }
    if (saved === undefined || saved.pid !== STARTING.pid) return;
    for (const stray of kernel.findProcesses(["slirp4netns", "pasta", "pasta.avx2"], pin)) {
      kernel.signal(stray, "SIGKILL");
      await kernel.waitForExit(stray, AbortSignal.timeout(5_000));
    }
  }

  const saveUplink = (started: Uplink): void => writeFileSync(record, JSON.stringify(started), { mode: 0o600 });
  async function startSlirp(program: string): Promise<void> {
    rmSync(socket, { force: true });
    const logFd = openSync(log, "w", 0o600);
    const argv = [
      "--disable-host-loopback",
      "--mtu=65520",
      "--enable-sandbox",
      "--enable-seccomp",
      "--enable-ipv6",
      "-c",
      "-r",
      "3",
      "--netns-type=path",
      "--api-socket",
      socket,
      pin,
      UPLINK_INTERFACE,
    ];
    const child = kernel.spawn(program, argv, {
      env,
      cwd: "/",
      detached: true,
      stdio: ["ignore", logFd, logFd, "pipe"],
    });
    closeSync(logFd);
    const identity = child.pid === undefined ? undefined : kernel.processIdentity(child.pid);
    if (identity !== undefined) saveUplink({ ...identity, kind: "slirp4netns" });
    const ready = child.stdio[3] as Readable;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string): void => {
          let said = "";
          try {
            said = printable(readFileSync(log, "utf8"));
          } catch {
            said = "";
          }
          reject(
            new TscError("TSC_UPLINK_FAILED", `slirp4netns ${why}: ${said || "no message"}`, {
              kind: "unavailable",
              hint: "check that /dev/net/tun exists and may be opened by this user",
            }),
          );
        };
        const timer = setTimeout(() => fail("is not ready after 15 s"), 15_000);
        ready.on("data", () => {
          clearTimeout(timer);
          resolve();
        });
        child.on("error", (error) => {
          clearTimeout(timer);
          reject(error);
        });
        child.on("exit", (code) => {
          clearTimeout(timer);
          fail(`ended with ${code}`);
        });
      });
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      ready.destroy();
    }
    child.removeAllListeners("exit");
    child.unref();
  }

  async function startPasta(program: string): Promise<void> {
    const pidFile = join(paths.network, "pasta.pid");
    rmSync(pidFile, { force: true });
    const argv = [
      program,
      "--config-net",
      "-t",
      "none",
      "-u",
      "none",
      "-T",
      "none",
      "-U",
      "none",
      "--no-map-gw",
      "--quiet",
    ];
    const result = await run(kernel, [...argv, "--pid", pidFile, "--netns", pin], { env });
    if (result.code !== 0)
      throw new TscError("TSC_UPLINK_FAILED", `pasta failed: ${printable(result.stderr)}`, { kind: "unavailable" });
    const identity = kernel.processIdentity(Number(readFileSync(pidFile, "utf8").trim()));
    if (identity === undefined) throw new TscError("TSC_UPLINK_FAILED", "pasta ended right after its start");
    saveUplink({ ...identity, kind: "pasta" });
  }

  async function start(): Promise<void> {
    await endUnknown();
    saveUplink(STARTING);
    const host = parseResolvConf(readHostResolvConf());
    const slirp = findProgram(ctx.env, "slirp4netns");
    const pasta = slirp === undefined ? findProgram(ctx.env, "pasta") : undefined;
    // slirp4netns answers names at .3 with the host's resolver, also when that one listens on a loopback address.
    const servers = [
      ...(slirp === undefined ? [] : ["10.0.2.3"]),
      ...host.servers.filter((ip) => !/^(127\.|::1$)/.test(ip)),
    ];
    writeFileSync(
      resolvConf,
      [
        ...(host.search.length === 0 ? [] : [`search ${host.search.join(" ")}`]),
        ...servers.map((ip) => `nameserver ${ip}`),
        "",
      ].join("\n"),
    );
    if (slirp !== undefined) await startSlirp(slirp);
    else if (pasta !== undefined) await startPasta(pasta);
    else throw missingProgram("slirp4netns");
  }

  return {
    socket,
    resolvConf,
    running,
    start,
    end: async () => {
      await endUnknown();
      const found = running();
      if (found !== undefined) {
        kernel.signal(found, "SIGTERM");
        await kernel.waitForExit(found, AbortSignal.timeout(5_000)).catch(() => kernel.signal(found, "SIGKILL"));
      }
      for (const path of [socket, record, resolvConf, log]) rmSync(path, { force: true });
    },
  };
}
