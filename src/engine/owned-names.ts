/** Names that carry their owner, so that whoever comes next can tell the leavings of a killed command from work in progress. */
import { randomBytes } from "node:crypto";
import type { Kernel } from "../kernel/kernel.js";

/** `PID-STARTTIME-RANDOM` of this process: a name for something that ends with it. */
export function ownedName(kernel: Kernel): string {
  return `${process.pid}-${kernel.processIdentity(process.pid)?.startTime ?? "0"}-${randomBytes(8).toString("hex")}`;
}

/** True for an owned name (after `prefix`) whose process is no more. */
export function isOrphaned(kernel: Kernel, name: string, prefix = ""): boolean {
  const match = name.startsWith(prefix) ? /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name.slice(prefix.length)) : null;
  if (match === null) return false;
  const owner = { pid: Number(match[1]), startTime: match[2] ?? "" };
  const isOwn = owner.pid === process.pid && kernel.processIdentity(owner.pid)?.startTime === owner.startTime;
  return !isOwn && !kernel.isAlive(owner);
}
