/** Rows as `--format` asks for them: docker's table, JSON lines or a Go template. Pure: returns text. */
import { FORMATTER_SHAPE, renderTable } from "./table.js";
import { compileTemplate, jsonText, openMap } from "./template.js";

export interface RowFormat {
  /** Heading of each field that may stand in a table. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the default table, in order. */
  readonly columns: readonly string[];
  /** `rawTemplate` answers `--format raw`. */
  readonly rawTemplate?: string;
}
export type Row = Readonly<Record<string, unknown>>;

/** Text for `format`: `` or `table` (the default table), `table TEMPLATE`, `json`, or a template per row. */
export function renderRows(rows: readonly Row[], shape: RowFormat, format: string): string {
  const trimmed = format.trim();
  if (trimmed === "" || trimmed === "table") {
    const lines = rows.map((row) => shape.columns.map((column) => cell(row[column])));
    return renderTable([shape.columns.map((column) => shape.headers[column] ?? column), ...lines], FORMATTER_SHAPE);
  }
  if (trimmed === "json") return rows.map((row) => `${jsonText(row)}\n`).join("");
  if (trimmed === "raw" && shape.rawTemplate !== undefined) {
    const raw = compileTemplate(shape.rawTemplate);
    return rows.map((row) => `${raw(row)}\n`).join("");
  }
  const isTable = /^table\s/.test(trimmed);
  const source = (isTable ? trimmed.slice(5).trim() : format).replaceAll("\\t", "\t").replaceAll("\\n", "\n");
  const template = compileTemplate(source);
  if (!isTable) return rows.map((row) => `${template(row)}\n`).join("");
  const headings = openMap({ ...shape.headers, Label: labelHeading });
  const lines = [template(headings), ...rows.map((row) => template(row))];
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

function cell(value: unknown): string {
  // a control character in a name or a label must not reach the terminal
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is being removed
  return String(value ?? "").replace(/[\x00-\x1f\x7f]/g, " ");
}
