/** `port`: where a container's port is published. */
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { publishedAt, publishersOf } from "../render/container-rows.js";
import { printed } from "../render/printed.js";
import { projectName, serviceContainer } from "../select.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "port",
  summary: "Print the public port for a port binding",
  example: "tscompose port web 80",
  args: [
    { name: "SERVICE", required: true, complete: "service" },
    { name: "PRIVATE_PORT", required: true },
  ],
  options: [
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "protocol", value: "string", default: "tcp", help: "tcp or udp" },
  ],
  run: port,
};

async function port(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const [service = "", text = ""] = args;
  const { number, protocol = (options.text("protocol") ?? "tcp").toLowerCase() } = readPort(text);
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const info = await serviceContainer(engine, name, service, { index: options.number("index") });
  const found = publishersOf(info).find(
    ({ TargetPort, Protocol, PublishedPort }) => TargetPort === number && Protocol === protocol && PublishedPort > 0,
  );
  if (found === undefined) {
    const has = publishersOf(info).map(({ PublishedPort, Protocol }) => `${PublishedPort}/${Protocol}`);
    throw new TscError(
      "TSC_PORT_NOT_PUBLISHED",
      `no port ${number}/${protocol} for container ${info.name}: ${has.join(", ")}`,
      { kind: "not-found" },
    );
  }
  ctx.print(printed`${publishedAt(found)}\n`);
  return 0;
}

/** `80` or `80/udp`; `TSC_USAGE`. */
export function readPort(text: string): { readonly number: number; readonly protocol?: "tcp" | "udp" | "sctp" } {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text);
  const number = Number(match?.[1]);
  if (match === null || number > 65535) {
    throw usage(`invalid port "${text}": not a number up to 65535`);
  }
  return { number, ...given({ protocol: match[2] as "tcp" | "udp" | "sctp" | undefined }) };
}
