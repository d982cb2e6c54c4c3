/**
 * What the live display shows at one moment: at most a screenful, the unfinished first. Pure, so that fifty services can be tested
 * without a terminal.
 */
import { printable } from "../../lib/printable.js";
import type { ProgressStatus, ProgressUpdate } from "./progress.js";
import { displayWidth } from "./table.js";
import { humanSize } from "./units.js";

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
}

export interface ProgressBoard {
  readonly items: Map<string, ProgressItem>;
  /** The last line of output of a running build step, by item. */
  readonly output: Map<string, string>;
}

export function newBoard(): ProgressBoard {
  return { items: new Map(), output: new Map() };
}

/** Applies one update at time `nowMs`. */
export function applyUpdate(board: ProgressBoard, update: ProgressUpdate, nowMs: number): void {
  if (update.kind === "output") {
    board.output.set(update.id, printable(update.text));
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
  };
  item.status = update.status;
  item.text = printable(update.text);
  item.details = printable(update.details ?? "");
  item.currentBytes = update.currentBytes ?? item.currentBytes;
  item.totalBytes = update.totalBytes ?? item.totalBytes;
  item.endedMs = update.status === "working" ? undefined : nowMs;
  if (known === undefined) board.items.set(key, item);
}

export type Painter = (style: "done" | "working" | "warning" | "error" | "dim", text: string) => string;
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const MARK: Readonly<Record<ProgressStatus, string>> = { working: "⠿", done: "✔", warning: "!", error: "✘" };
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** `[+] 12/50` and as many item lines as fit: failures, then work in progress, then what has just finished. */
export function boardLines(board: ProgressBoard, nowMs: number, screen: ScreenSize, paint: Painter): readonly string[] {
  const top = [...board.items.values()].filter((item) => item.parent === undefined);
  const done = top.filter((item) => item.status !== "working").length;
  const room = Math.max(3, screen.rows - 4);
  const chosen = chooseItems(top, room);
  const lines: string[] = [headLine(top, done, nowMs, screen.columns, paint)];
  const width = Math.max(0, ...chosen.map((item) => displayWidth(item.id))) + 1;
  let spare = room - chosen.length;
  for (const item of chosen) {
    const children = [...board.items.values()].filter((child) => child.parent === item.id);
    lines.push(itemLine(item, children, width, nowMs, screen.columns, paint));
    if (item.status !== "working") continue;
    for (const child of children.filter(({ status }) => status === "working").slice(0, Math.max(0, spare))) {
      spare--;
      lines.push(childLine(child, nowMs, screen.columns, paint));
    }
    const output = board.output.get(item.id);
    if (output !== undefined && spare > 0) {
      spare--;
      lines.push(paint("dim", cut(`   │ ${output}`, screen.columns)));
    }
  }
  const hidden = top.filter((item) => !chosen.includes(item));
  if (hidden.length > 0) lines.push(paint("dim", `   … ${hidden.length} more: ${countsByText(hidden)}`));
  return lines;
}

/** `[+] 12/50` and, at the right, the time since the first item began. */
function headLine(
  items: readonly ProgressItem[],
  done: number,
  nowMs: number,
  columns: number,
  paint: Painter,
): string {
  const isDone = done === items.length;
  const head = `[+] ${done}/${items.length}`;
  const from = Math.min(...items.map(({ startedMs }) => startedMs));
  const to = isDone ? Math.max(...items.map(({ endedMs }) => endedMs ?? nowMs)) : nowMs;
  const elapsed = items.length === 0 ? "" : `${((to - from) / 1000).toFixed(1)}s`;
  const space = " ".repeat(Math.max(1, columns - head.length - elapsed.length - 1));
  return `${paint(isDone ? "done" : "working", head)}${space}${paint("dim", elapsed)}`;
}

/** `11 Started, 15 Starting`. */
function countsByText(items: readonly ProgressItem[]): string {
  const counts = new Map<string, number>();
  for (const { text } of items) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${count} ${text}`).join(", ");
}

/** All of them in their order when they fit; else those that matter most, still in their order. */
function chooseItems(items: readonly ProgressItem[], room: number): readonly ProgressItem[] {
  if (items.length <= room) return items;
  const weight = (item: ProgressItem) => (item.status === "error" ? 0 : item.status === "working" ? 1 : 2);
  const ranked = items.toSorted(
    (a, b) => weight(a) - weight(b) || (b.endedMs ?? 0) - (a.endedMs ?? 0) || a.startedMs - b.startedMs,
  );
  const kept = new Set(ranked.slice(0, room - 1));
  return items.filter((item) => kept.has(item));
}

function itemLine(
  item: ProgressItem,
  children: readonly ProgressItem[],
  width: number,
  nowMs: number,
  columns: number,
  paint: Painter,
): string {
  const elapsed = `${(((item.endedMs ?? nowMs) - item.startedMs) / 1000).toFixed(1)}s`;
  const mark =
    item.status === "working" ? (SPINNER[Math.floor(nowMs / 100) % SPINNER.length] ?? "") : MARK[item.status];
  const sums = bytesOf(item, children);
  const details = [item.details, sums].filter((text) => text !== "").join(" ");
  const text = ` ${mark} ${item.id.padEnd(width)} ${item.text}${details === "" ? "" : `  ${details}`}`;
  const space = Math.max(1, columns - displayWidth(text) - elapsed.length - 1);
  const body = cut(text, columns - elapsed.length - 2);
  return `${paint(item.status, body)}${" ".repeat(space)}${paint("dim", elapsed)}`;
}

function childLine(child: ProgressItem, nowMs: number, columns: number, paint: Painter): string {
  const rate = rateOf(child, nowMs);
  const text = `     ${child.id.padEnd(14)} ${child.text.padEnd(12)} ${bar(child)} ${bytesOf(child, [])}${rate}`;
  return paint("dim", cut(text, columns));
}

function bytesOf(item: ProgressItem, children: readonly ProgressItem[]): string {
  const total = children.reduce((sum, child) => sum + child.totalBytes, item.totalBytes);
  if (total <= 0) return "";
  const current = children.reduce(
    (sum, child) => sum + Math.min(child.currentBytes, child.totalBytes),
    item.currentBytes,
  );
  return `${humanSize(current)}/${humanSize(total)}`;
}

function rateOf(item: ProgressItem, nowMs: number): string {
  const seconds = (nowMs - item.startedMs) / 1000;
  return item.currentBytes > 0 && seconds > 0.5 ? `  ${humanSize(item.currentBytes / seconds)}/s` : "";
}

function bar(item: ProgressItem): string {
  if (item.totalBytes <= 0) return " ".repeat(22);
  const filled = Math.max(0, Math.min(20, Math.floor((item.currentBytes * 20) / item.totalBytes)));
  return `[${"━".repeat(filled)}${" ".repeat(20 - filled)}]`;
}

function cut(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  const limit = Math.max(1, columns - 1);
  let out = "";
  let width = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width > limit) break;
    out += character;
  }
  return `${out}…`;
}
