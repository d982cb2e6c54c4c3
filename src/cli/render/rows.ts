/** Rows as `--format` asks for them: docker's table, JSON lines or a Go template. Pure: returns text. */
import { joined, type Printed, printed, printedJsonText } from "./printed.js";
import { FORMATTER_SHAPE, renderTable } from "./table.js";
import { compileTemplate, jsonText, openMap } from "./template.js";

/** How one kind of rows is shown by `renderRows`. */
export interface RowFormat {
  /** Heading of each field that may stand in a table. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the default table, in order. */
  readonly columns: readonly string[];
  /** `rawTemplate` answers `--format raw`. */
  readonly rawTemplate?: string;
}
/** Values by docker's names of the fields, which templates use; JSON has them in the same order. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Text for `format`: `` or `table` (the default table), `table TEMPLATE`, `json`, or a template per row. Words of the rows keep to their row;
 * only JSON (also `{{json .}}`) gives them back as they are.
 */
export function renderRows(rows: readonly Row[], shape: RowFormat, format: string): Printed {
  const trimmed = format.trim();
  if (trimmed === "" || trimmed === "table") {
    const lines = rows.map((row) => shape.columns.map((column) => String(row[column] ?? "")));
    return renderTable([shape.columns.map((column) => shape.headers[column] ?? column), ...lines], FORMATTER_SHAPE);
  }
  const ended = (texts: readonly Printed[]) => joined(texts.flatMap((text) => [text, printed`\n`]));
  if (trimmed === "json") return ended(rows.map((row) => printedJsonText(jsonText(row))));
  if (trimmed === "raw" && shape.rawTemplate !== undefined) return ended(rows.map(compileTemplate(shape.rawTemplate)));
  const isTable = /^table\s/.test(trimmed);
  const source = (isTable ? trimmed.slice(5).trim() : format).replaceAll("\\t", "\t").replaceAll("\\n", "\n");
  const template = compileTemplate(source);
  if (!isTable) return ended(rows.map(template));
  const headings = openMap({ ...shape.headers, Label: labelHeading });
  // tabs and line ends of the template make cells and rows; those of words are escaped by now
  const lines = [template(headings), ...rows.map(template)].flatMap((text) => text.split("\n"));
  return renderTable(
    lines.map((line) => line.split("\t")),
    FORMATTER_SHAPE,
  );
}

/** The row with docker's `.Label NAME`, which JSON does not show. */
export function withLabels(row: Row, labels: Readonly<Record<string, string>>): Row {
  return Object.defineProperty({ ...row }, "Label", {
    enumerable: false,
    value: (name: unknown) => (Object.hasOwn(labels, String(name)) ? labels[String(name)] : ""),
  });
}

/** The heading of `{{.Label "com.example.some-name"}}` is `some name`. */
function labelHeading(name: unknown): string {
  return (String(name).split(".").at(-1) ?? "").replace(/[-_]/g, " ");
}
