/** `events`: what happens to the project's containers, as it happens. */
import type { EngineEvent } from "../../engine/types.js";
import { formatRfc3339Nano } from "../../lib/timestamp.js";
import { LABEL } from "../../plan/labels.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { joined, type Printed, printed, printedJson } from "../render/printed.js";
import { checkServices, projectName } from "../select.js";

export const command: CommandSpec = {
  name: "events",
  summary: "Receive real time events from containers",
  example: "tscompose events --json",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    { long: "json", help: "Output events as a stream of json objects" },
    { long: "since", value: "string", help: "Show all events created since timestamp" },
    { long: "until", value: "string", help: "Stream events until this timestamp" },
  ],
  run: events,
};

async function events(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const [name, engine] = await Promise.all([checkedProject(ctx, services), ctx.engine()]);
  const since = options.text("since");
  const until = options.text("until");
  const stream = engine.events.stream({
    labels: { [LABEL.project]: name },
    follow: true,
    signal: ctx.signal,
    ...(since === undefined || since === "" ? {} : { since }),
    ...(until === undefined || until === "" ? {} : { until }),
  });
  try {
    for await (const event of stream) {
      if (event.type !== "container" || event.attributes[LABEL.oneOff] === "True") continue;
      const service = event.attributes[LABEL.service] ?? "";
      if (services.length > 0 && !services.includes(service)) continue;
      ctx.print(joined([options.flag("json") ? eventJson(event) : eventText(event), printed`\n`]));
    }
  } catch (error) {
    if (!ctx.signal.aborted) throw error;
  }
  return ctx.signal.aborted ? 130 : 0;
}

/** The project's name; a service that its file does not declare is refused, as nothing could ever come of it. */
async function checkedProject(ctx: CliContext, services: readonly string[]): Promise<string> {
  if (services.length === 0) return await projectName(ctx);
  const { name, project } = await ctx.projectOrName();
  checkServices(project, services);
  return name;
}

/** Attributes without compose's own labels. */
function attributesOf(event: EngineEvent): Readonly<Record<string, string>> {
  const shown = Object.entries(event.attributes).filter(([key]) => !key.startsWith("com.docker.compose."));
  return Object.fromEntries([...shown, ["name", event.name] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The object docker compose prints, keys sorted. */
export function eventJson(event: EngineEvent): Printed {
  return printedJson({
    action: event.action,
    attributes: attributesOf(event),
    id: event.id,
    service: event.attributes[LABEL.service] ?? "",
    time: formatRfc3339Nano(BigInt(event.timeNano)),
    type: "container",
  });
}

/** `2026-11-23 22:10:05.123456 container start 4f3c… (image=redis, name=p-redis-1)`. */
export function eventText(event: EngineEvent): Printed {
  const time = formatRfc3339Nano(BigInt(event.timeNano)).replace("T", " ").slice(0, 26);
  const attributes = Object.entries(attributesOf(event)).map(([key, value]) => `${key}=${value}`);
  return printed`${time} container ${event.action} ${event.id} (${attributes.join(", ")})`;
}
