/** Intents: what a command is about to do, written before it does it, so that a crash half way is found again. */
import type { ProcessIdentity } from "../../kernel/kernel.js";
import type { State } from "./index.js";

/** `restart`: stopped only to be started again. `remove-all`: with the anonymous volumes. `freeze`: being paused or unpaused. */
export type IntentKind = "create" | "start" | "remove" | "remove-all" | "restart" | "freeze";

/** Work that somebody has begun. */
export interface Intent {
  readonly id: number;
  readonly kind: IntentKind;
  /** Container id. */
  readonly subject: string;
  readonly bootId: string;
  readonly ownerPid: number;
  readonly ownerStart: string;
}

/** Writes an intent; its number. */
export function beginIntent(
  state: State,
  kind: IntentKind,
  subject: string,
  owner: ProcessIdentity,
  bootId: string,
): number {
  const row = state.get<{ id: number }>(
    `INSERT INTO intents(kind, subject, boot_id, owner_pid, owner_start, created_at) VALUES (?, ?, ?, ?, ?, ?)
     RETURNING id`,
    kind,
    subject,
    bootId,
    owner.pid,
    owner.startTime,
    new Date().toISOString(),
  );
  return row?.id ?? 0;
}

/** The intent came true, or was undone. */
export function endIntent(state: State, id: number): void {
  state.run("DELETE FROM intents WHERE id = ?", id);
}

/** Drops every intent about a container. */
export function endIntentsOf(state: State, subject: string): void {
  state.run("DELETE FROM intents WHERE subject = ?", subject);
}

/** Who is about to start the container again that it has stopped; undefined when nobody is. */
export function restartingOwner(state: State, subject: string): (ProcessIdentity & { bootId: string }) | undefined {
  return state.get(
    `SELECT owner_pid AS pid, owner_start AS startTime, boot_id AS bootId FROM intents
     WHERE subject = ? AND kind = 'restart' ORDER BY id DESC LIMIT 1`,
    subject,
  );
}

/** Everything unfinished, oldest first. */
export function openIntents(state: State): Intent[] {
  return state.all<Intent>(
    `SELECT id, kind, subject, boot_id AS bootId, owner_pid AS ownerPid, owner_start AS ownerStart
     FROM intents ORDER BY id`,
  );
}
