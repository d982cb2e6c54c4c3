/** Engine events as docker's `events` shows them. Pure. */
import type { EngineEvent } from "../../engine/types.js";
import { formatRfc3339Nano } from "../../lib/timestamp.js";
import { type Printed, printed } from "./printed.js";
import type { Row } from "./rows.js";

const NANO_PER_SECOND = 1_000_000_000n;

/** docker's object (`--format json`, `{{.Action}}`). `timeNano` is a number there, and larger than a double holds. */
export function engineEventObject(event: EngineEvent): Row {
  const isContainer = event.type === "container";
  const attributes = { ...event.attributes, name: event.name };
  return {
    ...(isContainer ? { status: event.action, id: event.id, from: event.attributes["image"] ?? "" } : {}),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: attributes },
    scope: "local",
    time: Number(BigInt(event.timeNano) / NANO_PER_SECOND),
    timeNano: Number(event.timeNano),
  };
}

/** `2026-11-23T22:10:05.123456789Z container start 4f3c… (image=redis, name=web)`. */
export function engineEventText(event: EngineEvent): Printed {
  const entries = Object.entries({ ...event.attributes, name: event.name }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const attributes = entries.map(([key, value]) => `${key}=${value}`).join(", ");
  return printed`${formatRfc3339Nano(BigInt(event.timeNano))} ${event.type} ${event.action} ${event.id} (${attributes})`;
}
