/**
 * The picture of the live display: at most a screenful, the unfinished first, no line longer than the screen is wide. Pure, so that
 * fifty services can be tested without a terminal.
 */
import type { ProgressStatus } from "./progress.js";
import { type ProgressBoard, type ProgressItem, rateOf } from "./progress-state.js";
import { displayWidth } from "./table.js";
import { humanSize } from "./units.js";

/** Gives a text its colour, which may add escape sequences but no width. */
export type Painter = (style: "done" | "working" | "warning" | "error" | "dim", text: string) => string;

/** What a picture is made for. */
export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** The same clock as the board's. */
  readonly nowMs: number;
  /** The verb in the first line: `[+] up 3/5`. */
  readonly title: string;
  /** A last line for the person, such as what a second Ctrl-C would do. */
  readonly notice?: string;
}

const MARK: Readonly<Record<ProgressStatus, string>> = { working: "⠿", done: "✔", warning: "!", error: "✘" };
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** Columns that a narrow screen keeps for state and time; names give way. */
const STATE_WIDTH = 22;
const BAR_WIDTH = 20;

/** `[+] up 12/50` and as many item lines as fit: failures, then work in progress, then what has just finished. */
export function boardLines(board: ProgressBoard, frame: Frame, paint: Painter): readonly string[] {
  const items = [...board.items.values()];
  const top = items.filter((item) => item.parent === undefined);
  const room = Math.max(3, frame.rows - (frame.notice === undefined ? 4 : 5));
  const chosen = chooseItems(top, room);
  const children = new Map(chosen.map((item) => [item, items.filter((child) => child.parent === item.id)]));
  const below = shareRoom(
    chosen.map((item) => linesBelow(board, item, children.get(item) ?? [], frame)),
    room - chosen.length,
  );
  const widest = Math.max(0, ...chosen.map((item) => displayWidth(item.id)));
  const width = Math.min(widest, Math.max(8, frame.columns - STATE_WIDTH));
  const lines = [headLine(top, frame, paint)];
  chosen.forEach((item, index) => {
    lines.push(itemLine(item, children.get(item) ?? [], width, frame, paint));
    for (const text of below[index] ?? []) lines.push(paint("dim", cut(text, frame.columns)));
  });
  const hidden = top.filter((item) => !chosen.includes(item));
  if (hidden.length > 0)
    lines.push(paint("dim", cut(`   … ${hidden.length} more: ${countsByText(hidden)}`, frame.columns)));
  if (frame.notice !== undefined) lines.push(paint("warning", cut(frame.notice, frame.columns)));
  return lines;
}

/** `[+] up 12/50` and, at the right, the time since the first item began. */
function headLine(items: readonly ProgressItem[], { title, nowMs, columns }: Frame, paint: Painter): string {
  const done = items.filter((item) => item.status !== "working").length;
  const isDone = done === items.length;
  const head = `[+] ${title === "" ? "" : `${title} `}${done}/${items.length}`;
  const from = Math.min(...items.map(({ startedMs }) => startedMs));
  const to = isDone ? Math.max(...items.map(({ endedMs }) => endedMs ?? nowMs)) : nowMs;
  const elapsed = items.length === 0 ? "" : seconds(to - from);
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

/** One line from each list in turn until the room is used up: three slow images all show something. */
function shareRoom(lists: readonly (readonly string[])[], room: number): readonly (readonly string[])[] {
  const counts = lists.map(() => 0);
  for (let left = room, round = 0; left > 0; round++) {
    const before = left;
    lists.forEach((list, index) => {
      if (left === 0 || list.length <= round) return;
      counts[index] = round + 1;
      left--;
    });
    if (left === before) break;
  }
  return lists.map((list, index) => list.slice(0, counts[index]));
}

/** Bars of the layers under way, and the newest line of a build step's output. */
function linesBelow(
  board: ProgressBoard,
  item: ProgressItem,
  children: readonly ProgressItem[],
  frame: Frame,
): readonly string[] {
  if (item.status !== "working") return [];
  const active = children.filter(({ status, currentBytes }) => status === "working" && currentBytes > 0);
  const output = board.output.get(item.id)?.at(-1);
  return [
    ...active.map((child) => childLine(child, frame)),
    ...(output === undefined || output === "" ? [] : [`   │ ${output}`]),
  ];
}

function itemLine(
  item: ProgressItem,
  children: readonly ProgressItem[],
  width: number,
  { nowMs, columns }: Frame,
  paint: Painter,
): string {
  const elapsed = seconds((item.endedMs ?? nowMs) - item.startedMs);
  const mark =
    item.status === "working" ? (SPINNER[Math.floor(nowMs / 100) % SPINNER.length] ?? "") : MARK[item.status];
  const id = elide(item.id, width);
  const details = [item.details, layersText(item, children, nowMs)].filter((text) => text !== "").join("  ");
  const text = ` ${mark} ${id}${" ".repeat(width - displayWidth(id))}  ${item.text}${details === "" ? "" : `  ${details}`}`;
  const body = cut(text, columns - elapsed.length - 2);
  const space = Math.max(1, columns - displayWidth(body) - elapsed.length - 1);
  return `${paint(item.status, body)}${" ".repeat(space)}${paint("dim", elapsed)}`;
}

/** `[3/7]  4.1MB/24MB  2.5MB/s` while it is under way, `24MB` when it is done, nothing when it failed. */
function layersText(item: ProgressItem, children: readonly ProgressItem[], nowMs: number): string {
  const total = children.reduce((sum, child) => sum + child.totalBytes, item.totalBytes);
  if (total <= 0 || item.status === "error" || item.status === "warning") return "";
  if (item.status === "done") return humanSize(total);
  const current = children.reduce(
    (sum, child) => sum + Math.min(child.currentBytes, child.totalBytes),
    item.currentBytes,
  );
  const done = children.filter(({ status }) => status === "done").length;
  const rate = children.reduce((sum, child) => sum + rateOf(child, nowMs), rateOf(item, nowMs));
  return [
    ...(children.length === 0 ? [] : [`[${done}/${children.length}]`]),
    `${humanSize(current)}/${humanSize(total)}`,
    ...(rate >= 1 ? [`${humanSize(rate)}/s`] : []),
  ].join("  ");
}

function childLine(child: ProgressItem, { nowMs, columns }: Frame): string {
  const rate = rateOf(child, nowMs);
  const size = `${humanSize(child.currentBytes)}/${humanSize(child.totalBytes)}`;
  const speed = rate >= 1 ? `  ${humanSize(rate)}/s` : "";
  const graph = columns < 80 ? "" : ` ${bar(child)}`;
  return `     ${child.id.padEnd(12)}  ${child.text.padEnd(11)}${graph} ${size}${speed}`;
}

function bar(item: ProgressItem): string {
  if (item.totalBytes <= 0) return " ".repeat(BAR_WIDTH + 2);
  const share = Math.floor((item.currentBytes * BAR_WIDTH) / item.totalBytes);
  const filled = Math.max(0, Math.min(BAR_WIDTH, share));
  return `[${"━".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}]`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

/** Names differ at their ends (`…-web-1`): the middle is left out. */
function elide(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const characters = [...text];
  const start = cut(text, Math.max(2, Math.floor(width / 4)));
  let end = "";
  for (const character of characters.toReversed()) {
    if (displayWidth(start) + displayWidth(character) + displayWidth(end) > width) break;
    end = character + end;
  }
  return start + end;
}

/** At most `columns` wide, with `…` where something was left out. */
export function cut(text: string, columns: number): string {
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
