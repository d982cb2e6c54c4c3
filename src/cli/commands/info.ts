/** `info`: what this engine found on the machine and what it chose. */
import type { SystemInfo } from "../../engine/api.js";
import type { CommandSpec } from "../command.js";
import { joined, type Printed, printed, printedJson, printedLines } from "../render/printed.js";
import { binarySize } from "../render/units.js";
import { VERSION } from "../version.js";

export const command: CommandSpec = {
  name: "info",
  summary: "Show what the engine uses on this machine, and why",
  example: "tscompose info --format json",
  args: [],
  options: [{ long: "format", short: "f", value: "string", help: "json, or a Go template" }],
  run: async (ctx, _args, options) => {
    const info = await (await ctx.engine()).info();
    const format = options.text("format") ?? "";
    if (format === "") ctx.print(infoText(info));
    else {
      const { dockerInfo } = await import("../render/docker-info.js");
      const both = { version: VERSION, ...info, ...dockerInfo(info) };
      if (format === "json") ctx.print(joined([printedJson(both), printed`\n`]));
      else {
        const { compileTemplate } = await import("../render/template.js");
        ctx.print(joined([compileTemplate(format)(both), printed`\n`]));
      }
    }
    for (const warning of info.warnings) ctx.warn(warning);
    return 0;
  },
};

const NETWORK_WORDS: Readonly<Record<string, string>> = {
  bridge: "bridge (CNI, on the host)",
  slirp4netns: "slirp4netns (CNI bridges in one network namespace of the user, slirp4netns is the way out)",
  pasta: "pasta (CNI bridges in one network namespace of the user, pasta is the way out)",
};

/** `ids 0 → 1000, 1-65536 → 100000-165535`. */
function mapping({ userIds }: SystemInfo): string {
  const range = (first: number, length: number) => (length === 1 ? `${first}` : `${first}-${first + length - 1}`);
  return `ids ${userIds.map(({ inside, outside, length }) => `${range(inside, length)} → ${range(outside, length)}`).join(", ")}`;
}

/** Lines `Name: value`. */
export function infoText(info: SystemInfo): Printed {
  const lines: (readonly [string, string])[] = [
    ["Version", VERSION],
    ["Rootless", info.rootless ? `true (${mapping(info)})` : "false"],
    ["Root", info.root],
    ["Run root", info.runRoot],
    ["Storage driver", info.storageDriver],
    ["OCI runtime", `${info.ociRuntime} (${info.ociRuntimeReason})`],
    ["Cgroups", `${info.cgroups}, manager ${info.cgroupManager}`],
    ["Network", NETWORK_WORDS[info.network] ?? info.network],
    ["Kernel", info.kernel],
    ["Architecture", info.architecture],
    ["CPUs", String(info.cpus)],
    ["Memory", binarySize(info.memoryBytes)],
    ["Containers", `${info.containers} (${info.containersRunning} running)`],
    ["Images", String(info.images)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  const body = lines.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`);
  const parts = info.components.map(({ name, path, version }) => `  ${name.padEnd(16)}${version.padEnd(12)}${path}`);
  const missing = info.missing.map(({ name, why, install }) => `  ${name}: ${why} (${install})`);
  return printedLines([
    ...body,
    ...(parts.length === 0 ? [] : ["Components:", ...parts]),
    ...(missing.length === 0 ? [] : ["Missing:", ...missing]),
  ]);
}
