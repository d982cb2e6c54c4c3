/**
 * The files that one log is made of: the one written to (`LOG`) and the old ones (`LOG.7`, or `LOG.7.gz` when packed). A number is given
 * once and only grows, so a file keeps its place however often the log is rotated; native/supervisor.md has the other side.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "../../lib/errors.js";
import { LogFile } from "./files.js";

/** Keeps an open file, and all newer ones, from being taken away; false when it is just being looked at by who would do so. */
export type Hold = (descriptor: number) => boolean;

/** An open file of a log in its place. */
export interface Part {
  readonly number: number;
  readonly file: LogFile;
  readonly isPacked: boolean;
  /** Its size when it was opened. */
  readonly end: number;
}

const HOLD_ATTEMPTS = 50;
const notHeld: Hold = () => true;

/** The numbers of a log's old files, oldest first. */
export function numbersOf(path: string): readonly number[] {
  const prefix = `${basename(path)}.`;
  let names: readonly string[];
  try {
    names = readdirSync(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
  const numbers = names
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => /^(\d{1,15})(?:\.gz)?$/.exec(name.slice(prefix.length))?.[1] ?? []);
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
}

/** All there is, oldest first; the last one is held. */
export async function openParts(path: string, hold: Hold = notHeld): Promise<readonly Part[]> {
  const current = openCurrent(path, hold);
  const numbers = numbersOf(path).filter((number) => current === undefined || number < current.number);
  const parts: Part[] = [];
  for (const number of numbers) {
    const isLast = current === undefined && number === numbers.at(-1);
    const part = await openNumbered(path, number, isLast ? hold : notHeld);
    if (part !== undefined) parts.push(part);
  }
  return current === undefined ? parts : [...parts, current];
}

/** Whether nothing is written to a file of the log any more. */
export function isOver(path: string, part: Part): boolean {
  const newest = statSync(path, { bigint: true, throwIfNoEntry: false });
  return newest === undefined ? (numbersOf(path).at(-1) ?? 0) > part.number : newest.ino !== part.file.inode;
}

/** What comes after a file of the log, held; undefined while nothing does. */
export async function openNext(path: string, after: Part | undefined, hold: Hold = notHeld): Promise<Part | undefined> {
  const last = after?.number ?? 0;
  for (;;) {
    const older = numbersOf(path).find((number) => number > last);
    if (older !== undefined) {
      const part = await openNumbered(path, older, hold);
      if (part !== undefined) return part;
      continue;
    }
    const current = openCurrent(path, hold);
    if (current === undefined) return undefined;
    // rotated in between
    const isSkipping = numbersOf(path).some((number) => number > last && number < current.number);
    // a log of the same number is one that conmon began anew by itself
    const isNew = current.number >= last && current.file.inode !== after?.file.inode;
    if (isNew && !isSkipping) return current;
    current.file[Symbol.dispose]();
    if (!isSkipping) return undefined;
  }
}

function openCurrent(path: string, hold: Hold): Part | undefined {
  for (;;) {
    const before = numbersOf(path).at(-1) ?? 0;
    const file = LogFile.open(path);
    if (file === undefined) return undefined;
    hold(file.fd);
    if ((numbersOf(path).at(-1) ?? 0) === before && !file.isGone)
      return { number: before + 1, file, isPacked: false, end: file.size };
    file[Symbol.dispose]();
  }
}

async function openNumbered(path: string, number: number, hold: Hold): Promise<Part | undefined> {
  for (let attempt = 1; ; attempt++) {
    const plain = LogFile.open(`${path}.${number}`);
    // the packed one is in its place before the plain one goes
    const file = plain ?? LogFile.open(`${path}.${number}.gz`);
    if (file === undefined) return undefined;
    const isHeld = hold(file.fd) || attempt === HOLD_ATTEMPTS;
    if (isHeld && !file.isGone) return { number, file, isPacked: plain === undefined, end: file.size };
    file[Symbol.dispose]();
    if (!isHeld) await delay(1);
  }
}
