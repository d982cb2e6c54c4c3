/** One writer for each fate. */
import type { ContainerFate } from "../../reconcile/fate.js";
import type { Up } from "../context.js";
import { newWriter, replacedWriter } from "./made.js";
import { bouncedWriter, keptWriter, startedWriter } from "./right.js";
import { orphanWriter, surplusWriter } from "./unwanted.js";
import type { Phase, Writer } from "./writer.js";

type Named<K> = Extract<ContainerFate, { readonly fate: K }>;

const WRITERS: { readonly [K in ContainerFate["fate"]]: Writer<Named<K>> } = {
  orphan: orphanWriter,
  surplus: surplusWriter,
  new: newWriter,
  replaced: replacedWriter,
  bounced: bouncedWriter,
  kept: keptWriter,
  started: startedWriter,
};

/** The writer of a container's fate. */
export function writerOf(container: ContainerFate): Writer<ContainerFate> {
  // the table pairs each name with its own type
  return WRITERS[container.fate] as Writer<ContainerFate>;
}

/** Writes one part of the plan; `backwards`: dependents before what they depend on. */
export function writePhase(up: Up, phase: Phase, direction: "forwards" | "backwards" = "forwards"): void {
  const containers = direction === "backwards" ? up.fates.toReversed() : up.fates;
  for (const container of containers) writerOf(container)[phase]?.(up, container);
}
