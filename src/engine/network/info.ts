/** Which programs networking found and their versions; asked by `info` and `doctor` only. */
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { saidVersion } from "../said-version.js";
import type { MissingProgram } from "../types.js";
import { DRIVERS } from "./drivers/index.js";
import { originWarning } from "./origin-rules.js";
import { findPlugin, findProgram, helperEnv, installHint, pluginDirs } from "./programs.js";
import { usesForwarder } from "./publish.js";
import type { NetworkingInfo } from "./types.js";

/** The first `1.2.3`-like word of what a program says about itself. */
function versionIn(text: string): string {
  return /\bv?(\d+\.\d+(?:[.\w~+-]*)?)/.exec(printable(text))?.[1] ?? "";
}

/** Runs each program for its version, five seconds at most; one that is not there is listed as missing. `mode` is the site's. */
export async function networkingInfo(ctx: EngineContext, mode: string): Promise<NetworkingInfo> {
  const env = helperEnv(ctx.env);
  const programs: readonly (readonly [string, string, readonly string[]])[] = [
    ["aardvark-dns", "names of containers", ["--version"]],
    ["iptables", "publishing ports and isolating networks", ["--version"]],
    ["ip", "moving a default route when a network is disconnected", ["-V"]],
    ...(ctx.rootless ? [["slirp4netns", "the way out of rootless networks", ["--version"]] as const] : []),
  ];
  const ask = async (path: string, args: readonly string[]): Promise<string> =>
    versionIn(await saidVersion(ctx.kernel, path, { args, env }));
  const components: { name: string; path: string; version: string }[] = [];
  const missing: MissingProgram[] = [];
  for (const [name, why, args] of programs) {
    const path = findProgram(ctx.env, name);
    if (path === undefined) missing.push({ name, why, install: installHint(name) });
    else components.push({ name, path, version: await ask(path, args) });
  }
  const able = DRIVERS.filter(({ needsRoot }) => !(needsRoot && ctx.rootless));
  for (const name of new Set(able.flatMap(({ programs }) => programs))) {
    try {
      const path = findPlugin(pluginDirs(ctx.env), name);
      // Without CNI_COMMAND a plugin says what it is.
      components.push({ name: `CNI ${name}`, path, version: await ask(path, []) });
    } catch {
      missing.push({ name: `CNI ${name}`, why: "networks beyond plain bridges", install: installHint(name) });
    }
  }
  const warnings: string[] = [];
  if (ctx.rootless && !usesForwarder(ctx))
    warnings.push("published ports go through slirp4netns, not tsc-portd: slower, and on IPv4 only");
  const origin = originWarning(ctx);
  if (origin !== undefined) warnings.push(origin);
  return { mode, components, missing, warnings };
}
