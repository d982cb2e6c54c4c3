/**
 * Rootless: one network namespace per run root holds all bridges; slirp4netns (or pasta) is its uplink. Containers on
 * one network never cross the uplink. Owns that namespace, its uplink process and the ports that slirp4netns forwards
 * where there is no tsc-portd.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { liveEndpoints, publishedPorts, type ReservedPort } from "../state/endpoints.js";
import { createForwarder } from "./forwarder.js";
import { withLock } from "./locks.js";
import { isPinned } from "./namespace-pin.js";
import { findProgram, helperEnv } from "./programs.js";
import { usesForwarder } from "./publish.js";
import { run } from "./run.js";
import { firstHostAddress, readHostResolvConf, type Site } from "./site.js";
import { addHostForward, listHostForwards, removeHostForward } from "./slirp-api.js";
import { UPLINK_INTERFACE, uplinkProcess } from "./uplink.js";

/** The shared namespace of this run root. */
export function rootlessSite(ctx: EngineContext): Site {
  const { kernel, paths } = ctx;
  const pin = join(paths.network, "rootless-netns");
  const uplink = uplinkProcess(ctx, pin);
  const { socket, resolvConf } = uplink;
  // Names the namespace for good: the kernel gives inode numbers of namespaces out again.
  const nameFile = join(paths.network, "rootless-netns.id");
  const env = helperEnv(ctx.env);

  const prefix = (options?: { readonly resolver: boolean }): readonly string[] =>
    kernel.inNetworkNamespace(pin, options?.resolver === true ? { binds: [[resolvConf, "/etc/resolv.conf"]] } : {});

  const namespaceName = (): string | undefined => {
    try {
      return isPinned(pin) ? readFileSync(nameFile, "utf8") : undefined;
    } catch {
      return undefined;
    }
  };

  const forwardOne = (port: ReservedPort): Promise<void> =>
    addHostForward(socket, {
      proto: port.protocol === "udp" ? "udp" : "tcp",
      hostIp: port.hostIp,
      hostPort: port.hostPort,
      guestPort: port.innerPort ?? port.hostPort,
    });

  async function make(): Promise<void> {
    mkdirSync(paths.network, { recursive: true, mode: 0o700 });
    const pinned = isPinned(pin);
    if (pinned && uplink.running() !== undefined) return;
    if (!pinned) {
      // An uplink that still runs serves a namespace whose pin went with lost mounts.
      await uplink.end();
      // A file without a namespace behind it is left from before a reboot.
      kernel.removeNetworkNamespace(pin);
      // Duplicate address detection would hold the uplink's IPv6 address back for a second.
      await kernel.createNetworkNamespace(pin, { "net.ipv6.conf.default.accept_dad": "0" });
    }
    // A namespace without a name had nothing set up in it yet.
    if (!pinned || namespaceName() === undefined)
      writeFileSync(nameFile, randomBytes(8).toString("hex"), { mode: 0o600 });
    try {
      await uplink.start();
    } catch (error) {
      if (!pinned) kernel.removeNetworkNamespace(pin);
      throw error;
    }
    if (pinned) {
      if (!usesForwarder(ctx))
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
    pin,
    uplinkInterface: UPLINK_INTERFACE,
    prefix,
    hasBridge: () => true,
    // The namespace's own defaults were set when it was made; its loopback is nobody's client.
    prepareBridge: () => undefined,
    forward: async (ports) => {
      if (ports.length === 0) return;
      if (uplink.running()?.kind !== "slirp4netns") {
        throw new TscError("TSC_MISSING_PROGRAM", "publishing ports rootless needs slirp4netns", {
          kind: "unavailable",
          hint: "run: apt-get install slirp4netns",
        });
      }
      for (const port of ports) await forwardOne(port);
    },
    unforward: async (ports) => {
      if (ports.length === 0 || usesForwarder(ctx) || uplink.running()?.kind !== "slirp4netns") return;
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
      if (!isPinned(pin) && uplink.running() === undefined) return;
      await withLock(ctx, "rootless", async () => {
        if (liveEndpoints(ctx.state, kernel.bootId()).length > 0) return;
        await createForwarder(ctx, pin).end();
        await uplink.end();
        kernel.removeNetworkNamespace(pin);
        rmSync(nameFile, { force: true });
      });
    },
    repair: async () => {
      if (liveEndpoints(ctx.state, kernel.bootId()).length > 0 && (!isPinned(pin) || uplink.running() === undefined)) {
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
