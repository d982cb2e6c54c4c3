/** What the live display knows: items, when they began and ended, how fast their bytes come. Draws nothing. */
import { printable } from "../../lib/printable.js";
import type { ProgressStatus, ProgressUpdate } from "./progress.js";

/** Lines of output that a failure shows again. */
const OUTPUT_LINES = 20;
/** Bytes are counted over at least this long before they make a rate. */
const RATE_MS = 500;

/** One line of the display, or a part of one (a layer of an image) with `parent`; id, text and details are fit to print. */
export interface ProgressItem {
  readonly id: string;
  readonly parent: string | undefined;
  status: ProgressStatus;
  text: string;
  details: string;
  currentBytes: number;
  totalBytes: number;
  /** Milliseconds on a monotonic clock. */
  readonly startedMs: number;
  endedMs: number | undefined;
  /** Bytes a second over the last moments, and where the count of the next ones began. */
  rate: number;
  sampledMs: number | undefined;
  sampledBytes: number;
}

/** All that is drawn; items by parent and id, in the order in which they came. */
export interface ProgressBoard {
  readonly items: Map<string, ProgressItem>;
  /** The last lines of output of a running build step, by item. */
  readonly output: Map<string, string[]>;
}

/** An empty board. */
export function newBoard(): ProgressBoard {
  return { items: new Map(), output: new Map() };
}

/** Applies one update at time `nowMs`. */
export function applyUpdate(board: ProgressBoard, update: ProgressUpdate, nowMs: number): void {
  if (update.kind === "output") {
    const lines = board.output.get(update.id) ?? [];
    lines.push(printable(update.text));
    if (lines.length > OUTPUT_LINES) lines.shift();
    board.output.set(update.id, lines);
    return;
  }
  const key = `${update.parent ?? ""}\0${update.id}`;
  const known = board.items.get(key);
  const item = known ?? {
    id: printable(update.id),
    parent: update.parent,
    status: update.status,
    text: "",
    details: "",
    currentBytes: 0,
    totalBytes: 0,
    startedMs: nowMs,
    endedMs: undefined,
    rate: 0,
    sampledMs: undefined,
    sampledBytes: 0,
  };
  // another step: the output of the one before means nothing any more
  if (update.status === "working" && printable(update.details ?? "") !== item.details) board.output.delete(update.id);
  item.status = update.status;
  item.text = printable(update.text);
  item.details = printable(update.details ?? "");
  item.currentBytes = update.currentBytes ?? item.currentBytes;
  measure(item, nowMs);
  item.totalBytes = update.totalBytes ?? item.totalBytes;
  item.endedMs = update.status === "working" ? undefined : nowMs;
  if (known === undefined) board.items.set(key, item);
}

/** The first bytes start the clock: what was there before, and the time spent waiting, are no part of the rate. */
function measure(item: ProgressItem, nowMs: number): void {
  const since = nowMs - (item.sampledMs ?? nowMs);
  if (item.sampledMs !== undefined && since < RATE_MS) return;
  if (item.sampledMs !== undefined) {
    const latest = ((item.currentBytes - item.sampledBytes) * 1000) / since;
    item.rate = item.rate === 0 ? latest : (item.rate + latest) / 2;
  }
  if (item.sampledMs === undefined && item.currentBytes === 0) return;
  item.sampledMs = nowMs;
  item.sampledBytes = item.currentBytes;
}

/** Bytes a second at `nowMs`; falls while nothing comes. 0 for what is not under way. */
export function rateOf(item: ProgressItem, nowMs: number): number {
  if (item.status !== "working" || item.sampledMs === undefined) return 0;
  const since = nowMs - item.sampledMs;
  if (since < 2 * RATE_MS) return item.rate;
  return Math.min(item.rate, ((item.currentBytes - item.sampledBytes) * 1000) / since);
}

/** What a failed item wrote last, for people who saw nothing but its newest line. */
export function failureLines(board: ProgressBoard, item: ProgressItem): readonly string[] {
  const output = board.output.get(item.id) ?? [];
  if (item.status !== "error" || output.length === 0) return [];
  return ["------", ` > ${item.id}:`, ...output, "------"];
}
