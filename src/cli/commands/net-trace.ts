/** `net trace`: a published port's way from the host to the program in the container, and which hop of it fails. */
import type { PortTrace, TraceHop } from "../../engine/network/trace-types.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { publishedAt } from "../render/container-rows.js";
import { joined, type Printed, printed, printedJson, printedLines } from "../render/printed.js";
import { projectName, serviceContainer } from "../select.js";
import { readPort } from "./port.js";

export const command: CommandSpec = {
  name: "net trace",
  summary: "Follow a published port to the program that answers, hop by hop",
  example: "tscompose net trace web 80",
  args: [
    { name: "SERVICE", required: true, complete: "service" },
    { name: "PRIVATE_PORT", required: true },
  ],
  options: [
    { long: "format", value: "string", help: "json for machines" },
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "json", help: "The same as --format json" },
    { long: "protocol", value: "string", default: "tcp", help: "tcp or udp" },
  ],
  run: trace,
};

async function trace(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const [service = "", text = ""] = args;
  const asked = readPort(text);
  const protocol = readPort(`${asked.number}/${asked.protocol ?? options.text("protocol")?.toLowerCase()}`).protocol;
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const info = await serviceContainer(engine, name, service, { index: options.number("index"), all: true });
  const request = { containerPort: asked.number, protocol: protocol ?? "tcp" };
  const traces = await engine.networks.trace(info.id, request);
  const isJson = options.flag("json") || options.text("format") === "json";
  ctx.print(isJson ? joined([printedJson(traces), printed`\n`]) : traceText(traces));
  return traces.every(({ hops }) => hops.every(({ state }) => state !== "failed")) ? 0 : 1;
}

const WORDS: Readonly<Record<TraceHop["state"], string>> = { ok: "ok     ", failed: "FAILED ", unknown: "unknown" };

/** A head for each address of the host, a line for each hop, and what to do below the one that fails. */
export function traceText(traces: readonly PortTrace[]): Printed {
  const kinds = Math.max(...traces.flatMap(({ hops }) => hops.map(({ kind }) => kind.length)), 0);
  const names = Math.max(...traces.flatMap(({ hops }) => hops.map(({ name }) => name.length)), 0);
  const lines = traces.flatMap(({ container, protocol, hostIp, hostPort, containerPort, hops }, index) => {
    const from = hostPort === 0 ? "" : `${publishedAt({ URL: hostIp || "*", PublishedPort: hostPort })} -> `;
    return [
      ...(index === 0 ? [] : [""]),
      `${container}: ${from}${containerPort}/${protocol}`,
      ...hops.flatMap(({ kind, name, state, detail, advice, counters }) => [
        `  ${WORDS[state]}  ${kind.padEnd(kinds)}  ${name.padEnd(names)}  ${detail}${counters === undefined ? "" : ` (${counters.packets} packets, ${counters.bytes} bytes)`}`,
        ...(advice === undefined ? [] : [`           → ${advice}`]),
      ]),
    ];
  });
  return printedLines(lines);
}
