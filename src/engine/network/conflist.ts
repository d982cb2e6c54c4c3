/** Configuration lists: the ones we generate, and those a person keeps in the CNI configuration folders. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { NetworkSettings } from "../state/networks.js";
import type { NetworkSpec } from "../types.js";
import { parseConflist } from "./cni.js";
import type { CniList, CniPlugin } from "./cni-types.js";

export interface ConflistOptions {
  readonly name: string;
  readonly settings: Omit<NetworkSettings, "source" | "dns">;
  /** 0 = the kernel's default. */
  readonly mtu: number;
  /** Containers of the network reach the outside and the host, not each other. */
  readonly isolated: boolean;
  /** Parent interface and mode of macvlan and ipvlan. */
  readonly parent: string;
  readonly mode: string;
}

/** Driver option that lets containers of one network talk to each other (the default) or not. */
export const ENABLE_ICC = "com.docker.network.bridge.enable_icc";

export function isolatesContainers({ driverOpts }: Pick<NetworkSpec, "driverOpts">): boolean {
  return driverOpts?.[ENABLE_ICC] === "false";
}

/**
 * The list of a compose network. Masquerading, forwarding, isolation and published ports are rules per network
 * (rules.ts), so the chain has neither firewall nor portmap (59 ms and a dozen iptables processes per container) and
 * `ipMasq` is false. Addresses come from the state database and are filled in per container (`static`).
 */
export function generateConflist(options: ConflistOptions): CniList {
  const { settings } = options;
  const ipam = { type: "static", addresses: [], routes: [] };
  const mtu = options.mtu > 0 ? { mtu: options.mtu } : {};
  if (settings.driver === "macvlan" || settings.driver === "ipvlan") {
    const main: CniPlugin = {
      type: settings.driver,
      ...(options.parent === "" ? {} : { master: options.parent }),
      mode: options.mode === "" ? (settings.driver === "macvlan" ? "bridge" : "l2") : options.mode,
      ...mtu,
      ipam,
      ...(settings.driver === "macvlan" ? { capabilities: { mac: true } } : {}),
    };
    return { cniVersion: "1.0.0", name: options.name, plugins: [main] };
  }
  return {
    cniVersion: "1.0.0",
    name: options.name,
    plugins: [
      {
        type: "bridge",
        bridge: settings.bridge,
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ...(options.isolated ? { portIsolation: true } : {}),
        ...mtu,
        ipam,
        capabilities: { mac: true },
      },
    ],
  };
}

export interface AssignedAddress {
  /** With prefix length. */
  readonly address: string;
  readonly gateway: string;
}

/** The list for one container: its addresses and routes filled in. */
export function fillConflist(
  list: CniList,
  addresses: readonly AssignedAddress[],
  options: { readonly defaultRoutes: readonly (4 | 6)[] },
): CniList {
  const routes = options.defaultRoutes.map((family) => ({ dst: family === 4 ? "0.0.0.0/0" : "::/0" }));
  const ipam = {
    type: "static",
    addresses: addresses.map((a) => (a.gateway === "" ? { address: a.address } : a)),
    routes,
  };
  return {
    ...list,
    plugins: list.plugins.map((plugin, index) => (index === 0 ? { ...plugin, ipam } : plugin)),
  };
}

/** Folders a person may keep configurations in: rootful /etc/cni/net.d, rootless ~/.config/cni/net.d. */
export function conflistDirs(rootless: boolean, env: Readonly<Record<string, string | undefined>>): string[] {
  if (!rootless) return ["/etc/cni/net.d"];
  const config = env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".config"));
  return config === undefined || !config.startsWith("/") ? [] : [join(config, "cni/net.d")];
}

/** The configurations in `dirs`, by network name; the first file in name order wins. Unreadable ones go to `warn`. */
export function readUserConflists(
  dirs: readonly string[],
  warn: (message: string) => void,
): Map<string, { readonly list: CniList; readonly text: string; readonly path: string }> {
  const lists = new Map<string, { list: CniList; text: string; path: string }>();
  for (const dir of dirs) {
    let files: string[];
    try {
      files = readdirSync(dir).sort();
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") continue;
      throw error;
    }
    for (const file of files) {
      if (!/\.(conflist|conf|json)$/.test(file)) continue;
      const path = join(dir, file);
      try {
        const text = readFileSync(path, "utf8");
        if (text.length > 1024 * 1024) throw new TscError("TSC_CNI_CONFIG", "larger than 1 MiB");
        const list = parseConflist(text, path);
        if (!lists.has(list.name)) lists.set(list.name, { list, text, path });
      } catch (error) {
        warn(`CNI configuration ${path} is ignored: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return lists;
}
