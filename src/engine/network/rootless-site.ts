/**
 * Rootless: one network namespace per run root holds all bridges; slirp4netns (or pasta) is its uplink. Containers on
 * one network never cross the uplink. Owns that namespace, its uplink process and the ports forwarded into it.
 */
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { liveEndpoints, publishedPorts, type ReservedPort } from "../state/endpoints.js";
import { withLock } from "./locks.js";
import { findProgram, helperEnv, missingProgram } from "./programs.js";
import { run } from "./run.js";
import { firstHostAddress, parseResolvConf, readHostResolvConf, type Site } from "./site.js";
import { addHostForward, listHostForwards, removeHostForward } from "./slirp-api.js";

const NSFS_MAGIC = 0x6e736673;

interface Uplink extends ProcessIdentity {
  readonly kind: "slirp4netns" | "pasta";
}

/** The shared namespace of this run root. */
export function rootlessSite(ctx: EngineContext): Site {
  const { kernel, paths } = ctx;
  const pin = join(paths.network, "rootless-netns");
  const socket = join(paths.network, "slirp.sock");
  const record = join(paths.network, "uplink.json");
  // Names the namespace for good: the kernel gives inode numbers of namespaces out again.
  const nameFile = join(paths.network, "rootless-netns.id");
  const resolvConf = join(paths.network, "resolv.conf");
  const log = join(paths.network, "uplink.log");
  const env = helperEnv(ctx.env);

  const isPinned = (): boolean => {
    try {
      return statfsSync(pin).type === NSFS_MAGIC;
    } catch {
      return false;
    }
  };
  const uplink = (): Uplink | undefined => {
    try {
      const saved = JSON.parse(readFileSync(record, "utf8")) as Uplink;
      return kernel.isAlive(saved) ? saved : undefined;
    } catch {
      return undefined;
    }
  };
  const prefix = (options?: { readonly resolver: boolean }): readonly string[] =>
    kernel.inNetworkNamespace(pin, options?.resolver === true ? { binds: [[resolvConf, "/etc/resolv.conf"]] } : {});

  const saveUplink = (started: Uplink): void => writeFileSync(record, JSON.stringify(started), { mode: 0o600 });
  const namespaceName = (): string | undefined => {
    try {
      return isPinned() ? readFileSync(nameFile, "utf8") : undefined;
    } catch {
      return undefined;
    }
  };

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
      "tap0",
    ];
    const child = kernel.spawn(program, argv, {
      env,
      cwd: "/",
      detached: true,
      stdio: ["ignore", logFd, logFd, "pipe"],
    });
    closeSync(logFd);
    // Written before it is ready: a command killed here leaves nothing that nobody knows.
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

  async function startUplink(): Promise<void> {
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

  const forwardOne = (port: ReservedPort): Promise<void> =>
    addHostForward(socket, {
      proto: port.protocol === "udp" ? "udp" : "tcp",
      hostIp: port.hostIp,
      hostPort: port.hostPort,
      guestPort: port.innerPort ?? port.hostPort,
    });

  async function make(): Promise<void> {
    mkdirSync(paths.network, { recursive: true, mode: 0o700 });
    const pinned = isPinned();
    if (pinned && uplink() !== undefined) return;
    if (!pinned) {
      // A file without a namespace behind it is left from before a reboot.
      kernel.removeNetworkNamespace(pin);
      // Duplicate address detection would hold the uplink's IPv6 address back for a second.
      await kernel.createNetworkNamespace(pin, { "net.ipv6.conf.default.accept_dad": "0" });
    }
    // A namespace without a name had nothing set up in it yet.
    if (!pinned || namespaceName() === undefined)
      writeFileSync(nameFile, randomBytes(8).toString("hex"), { mode: 0o600 });
    try {
      await startUplink();
    } catch (error) {
      if (!pinned) kernel.removeNetworkNamespace(pin);
      throw error;
    }
    if (pinned) {
      for (const { port } of publishedPorts(ctx.state, kernel.bootId())) await forwardOne(port);
      return;
    }
    // The uplink needed router advertisements; bridges must not believe any (CVE-2020-10749).
    await run(kernel, [...prefix(), "/bin/sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra"], { env });
  }

  return {
    mode:
      findProgram(ctx.env, "slirp4netns") === undefined && findProgram(ctx.env, "pasta") !== undefined
        ? "pasta"
        : "slirp4netns",
    mtu: 65520,
    reserved: ["10.0.2.0/24", "fd00::/64"],
    enter: (reserve) =>
      withLock(ctx, "rootless", async () => {
        await make();
        return reserve();
      }),
    epoch: () => {
      const name = namespaceName();
      return name === undefined ? undefined : `${kernel.bootId()}:${name}`;
    },
    prefix,
    hasBridge: () => true,
    // The namespace's own defaults were set when it was made; its loopback is nobody's client.
    prepareBridge: () => undefined,
    forward: async (ports) => {
      if (ports.length === 0) return;
      if (uplink()?.kind !== "slirp4netns") {
        throw new TscError("TSC_MISSING_PROGRAM", "publishing ports rootless needs slirp4netns", {
          kind: "unavailable",
          hint: "run: apt-get install slirp4netns",
        });
      }
      for (const port of ports) await forwardOne(port);
    },
    unforward: async (ports) => {
      if (ports.length === 0 || uplink()?.kind !== "slirp4netns") return;
      const open = await listHostForwards(socket);
      for (const port of ports) {
        const hostIp = port.hostIp === "" ? "0.0.0.0" : port.hostIp;
        for (const entry of open) {
          if (entry.host_port === port.hostPort && entry.proto === port.protocol && entry.host_addr === hostIp) {
            await removeHostForward(socket, entry.id);
          }
        }
      }
    },
    releaseIfIdle: async () => {
      if (!isPinned()) return;
      await withLock(ctx, "rootless", async () => {
        if (liveEndpoints(ctx.state, kernel.bootId()).length > 0) return;
        const running = uplink();
        if (running !== undefined) {
          kernel.signal(running, "SIGTERM");
          await kernel.waitForExit(running, AbortSignal.timeout(5_000)).catch(() => kernel.signal(running, "SIGKILL"));
        }
        kernel.removeNetworkNamespace(pin);
        for (const path of [socket, record, resolvConf, log, nameFile]) rmSync(path, { force: true });
      });
    },
    repair: async () => {
      if (liveEndpoints(ctx.state, kernel.bootId()).length > 0 && (!isPinned() || uplink() === undefined)) {
        await withLock(ctx, "rootless", make);
      }
    },
    hostAddress: firstHostAddress,
    hostResolvConf: () => {
      try {
        return readFileSync(resolvConf, "utf8");
      } catch {
        return readHostResolvConf();
      }
    },
  };
}
