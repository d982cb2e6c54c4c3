/** Configuration lists: the ones we generate, and those a person keeps in the CNI configuration folders. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, TscError } from "../../lib/errors.js";
import { parseConflist } from "./cni.js";
import type { CniList, CniPlugin } from "./cni-types.js";

/** The list of a network whose interface these plugins make. */
export function conflistWith(name: string, plugins: readonly CniPlugin[]): CniList {
  return { cniVersion: "1.0.0", name, plugins };
}

/** An address that was given out, with the gateway of its subnet, "" for none. */
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
