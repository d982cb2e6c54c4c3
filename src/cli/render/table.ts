/** Columns aligned with blanks, by the rules of Go's tabwriter that docker's tables have. Pure. */
import { stripVTControlCharacters } from "node:util";
import { type Printed, printedLines, printedWord } from "./printed.js";

/** Widths in terminal cells, as Go's tabwriter takes them. */
export interface TableShape {
  /** Cells are at least this wide (padding included). */
  readonly minWidth: number;
  readonly padding: number;
}

/** `ps`, `volumes`, `stats`: docker's formatter. */
export const FORMATTER_SHAPE: TableShape = { minWidth: 10, padding: 3 };
/** `ls`, `images`: docker compose's own printer. */
export const LIST_SHAPE: TableShape = { minWidth: 20, padding: 3 };
/** `top`. */
export const TOP_SHAPE: TableShape = { minWidth: 4, padding: 2 };

/** Lines of cells to text, one line a row whatever is in the cells; the last cell of a line is not padded. Every line ends with a newline. */
export function renderTable(cells: readonly (readonly string[])[], shape: TableShape = LIST_SHAPE): Printed {
  const rows = cells.map((row) => row.map(printedWord));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      if (column < row.length - 1) {
        widths[column] = Math.max(widths[column] ?? shape.minWidth, displayWidth(cell) + shape.padding);
      }
    });
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)),
      )
      .join(""),
  );
  return printedLines(lines);
}

/** Terminal cells that a text takes: wide East Asian characters count twice, escape sequences not at all. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    const code = character.codePointAt(0) ?? 0;
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      code >= 0x1100 &&
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
