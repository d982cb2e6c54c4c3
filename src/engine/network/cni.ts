/**
 * The CNI execution protocol (spec 1.0.0, also 0.3.x and 0.4.0): one process per plugin, JSON on stdin and stdout.
 * Owns chaining, roll-back of a failed ADD and reading of results; knows neither our state nor our networks.
 */
import type { BridgeJoin, Kernel } from "../../kernel/kernel.js";
import { messageOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { withSuppressed } from "../../lib/suppressed.js";
import { tearDown } from "../../lib/teardown.js";
import type { CniAttachment, CniList, CniPlugin, CniResult } from "./cni-types.js";
import { bridgeJoinOf, bridgeResult } from "./drivers/index.js";
import { checkContainerId, checkInterfaceName, checkNetworkName, checkPluginType } from "./names.js";
import { findPlugin } from "./programs.js";
import { run } from "./run.js";

/** Where plugins are found (`dirs`, in order) and how each is run: with which environment, for how long (`run`'s time by default). */
export interface CniHost {
  readonly kernel: Kernel;
  readonly dirs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** argv prefix that enters the namespace plugins work from; empty for the current one. */
  readonly prefix: readonly string[];
  /** Pin of that namespace ("" for the current one), when simple bridges may be joined without a plugin's process. */
  readonly direct?: string;
  readonly timeoutMs?: number;
}

const VERSIONS = new Set(["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]);

/** Reads and checks a configuration list (or a single plugin's configuration, which becomes a list). `TSC_CNI_CONFIG`. */
export function parseConflist(text: string, origin: string): CniList {
  const bad = (what: string, cause?: unknown): TscError =>
    new TscError("TSC_CNI_CONFIG", `CNI configuration ${origin} ${what}`, { kind: "invalid-input", cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad("is not JSON", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("is not an object");
  const object = value as Record<string, unknown>;
  const { name, cniVersion = "0.3.1" } = object;
  if (typeof name !== "string") throw bad("has no name");
  checkNetworkName(name);
  if (typeof cniVersion !== "string" || !VERSIONS.has(cniVersion)) {
    throw bad(`has cniVersion ${JSON.stringify(cniVersion)}, which is not supported`);
  }
  const plugins = Array.isArray(object["plugins"]) ? (object["plugins"] as unknown[]) : [object];
  if (plugins.length === 0) throw bad("has no plugins");
  for (const plugin of plugins) {
    if (typeof plugin !== "object" || plugin === null) throw bad("has a plugin that is not an object");
    checkPluginType((plugin as Record<string, unknown>)["type"]);
  }
  return {
    cniVersion,
    name,
    ...(object["disableCheck"] === true ? { disableCheck: true } : {}),
    plugins: plugins as CniPlugin[],
  };
}

/** stdin of one plugin: its object without `capabilities`, plus what the runtime adds. */
export function pluginInput(
  list: CniList,
  plugin: CniPlugin,
  capabilityArgs: Readonly<Record<string, unknown>>,
  prevResult: CniResult | undefined,
): Record<string, unknown> {
  const { capabilities, ...rest } = plugin;
  const runtimeConfig: Record<string, unknown> = {};
  for (const [name, wanted] of Object.entries(capabilities ?? {})) {
    if (wanted && capabilityArgs[name] !== undefined) runtimeConfig[name] = capabilityArgs[name];
  }
  return {
    ...rest,
    name: list.name,
    cniVersion: list.cniVersion,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(prevResult === undefined ? {} : { prevResult }),
  };
}

function failure(
  list: CniList,
  plugin: CniPlugin,
  command: string,
  code: number,
  stdout: string,
  stderr: string,
): TscError {
  let message = "";
  try {
    const parsed = JSON.parse(stdout) as { msg?: unknown; details?: unknown };
    message = [parsed.msg, parsed.details].filter((part) => typeof part === "string" && part !== "").join(": ");
  } catch {
    message = stdout;
  }
  if (message.trim() === "") message = stderr;
  return new TscError(
    "TSC_CNI_FAILED",
    `network ${list.name}: CNI plugin ${plugin.type} failed to ${command} (exit ${code}): ${printable(message) || "no message"}`,
    { kind: "internal" },
  );
}

async function exec(
  host: CniHost,
  command: "ADD" | "DEL" | "CHECK",
  list: CniList,
  plugin: CniPlugin,
  attachment: CniAttachment,
  prevResult: CniResult | undefined,
): Promise<string> {
  const path = findPlugin(host.dirs, checkPluginType(plugin.type));
  const result = await run(host.kernel, [...host.prefix, path], {
    env: {
      ...host.env,
      CNI_COMMAND: command,
      CNI_CONTAINERID: attachment.containerId,
      CNI_NETNS: attachment.netns,
      CNI_IFNAME: attachment.ifName,
      CNI_ARGS: attachment.args,
      CNI_PATH: host.dirs.join(":"),
    },
    input: JSON.stringify(pluginInput(list, plugin, attachment.capabilityArgs, prevResult)),
    ...(host.timeoutMs === undefined ? {} : { timeoutMs: host.timeoutMs }),
  });
  if (result.code !== 0) throw failure(list, plugin, command, result.code, result.stdout, result.stderr);
  return result.stdout;
}

function check(list: CniList, attachment: CniAttachment): void {
  checkNetworkName(list.name);
  checkContainerId(attachment.containerId);
  checkInterfaceName(attachment.ifName);
}

/**
 * Runs ADD of every plugin in order (`prevResult` is handed to the first when the chain goes on from another list); the
 * final result. After a failure DEL of the whole list was tried. `TSC_CNI_FAILED`.
 */
export async function cniAdd(
  host: CniHost,
  list: CniList,
  attachment: CniAttachment,
  prevResult?: CniResult,
): Promise<CniResult> {
  check(list, attachment);
  let result = prevResult;
  try {
    for (const plugin of list.plugins) {
      const join = host.direct === undefined ? undefined : bridgeJoinOf(plugin, attachment, host.direct);
      if (join !== undefined) {
        result = await joinDirectly(host, list, plugin, join);
        continue;
      }
      const text = await exec(host, "ADD", list, plugin, attachment, result);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch (error) {
        throw new TscError("TSC_CNI_FAILED", `network ${list.name}: CNI plugin ${plugin.type} printed no result`, {
          cause: error,
        });
      }
      if (typeof parsed !== "object" || parsed === null) {
        throw new TscError("TSC_CNI_FAILED", `network ${list.name}: CNI plugin ${plugin.type} printed no result`);
      }
      result = parsed as CniResult;
    }
    return result ?? {};
  } catch (error) {
    const suppressed = await cniDel(host, list, attachment, result).then(
      () => [],
      (undo: unknown) => [undo],
    );
    throw withSuppressed(error, suppressed);
  }
}

async function joinDirectly(host: CniHost, list: CniList, plugin: CniPlugin, join: BridgeJoin): Promise<CniResult> {
  try {
    return bridgeResult(list, plugin, join, await host.kernel.joinBridge(join));
  } catch (cause) {
    throw new TscError(
      "TSC_CNI_FAILED",
      `network ${list.name}: ${join.name} cannot be joined to bridge ${join.bridge}: ${messageOf(cause)}`,
      { kind: "internal", cause },
    );
  }
}

/** Runs DEL of every plugin in reverse order, past errors; they are thrown at the end. Idempotent by specification. */
export async function cniDel(
  host: CniHost,
  list: CniList,
  attachment: CniAttachment,
  result: CniResult | undefined,
): Promise<void> {
  check(list, attachment);
  await tearDown(
    list.plugins.toReversed().map((plugin) => async () => {
      const isDirect = host.direct !== undefined && bridgeJoinOf(plugin, attachment, host.direct) !== undefined;
      if (!isDirect) await exec(host, "DEL", list, plugin, attachment, result);
      else if (attachment.netns !== "") await host.kernel.removeLink(attachment.netns, attachment.ifName);
    }),
  );
}

/** Runs CHECK in order with the cached result; does nothing for lists that switch it off or are older than 0.4.0. */
export async function cniCheck(
  host: CniHost,
  list: CniList,
  attachment: CniAttachment,
  result: CniResult,
): Promise<void> {
  check(list, attachment);
  if (list.disableCheck === true || list.cniVersion.startsWith("0.3.")) return;
  for (const plugin of list.plugins) await exec(host, "CHECK", list, plugin, attachment, result);
}
