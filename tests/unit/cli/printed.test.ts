/** Words from outside on their way to a terminal, and that no verb has a way around. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { containerRow, PS_FORMAT } from "../../../src/cli/render/container-rows.js";
import { plainProgress } from "../../../src/cli/render/plain.js";
import {
  joined,
  type Printed,
  painted,
  printed,
  printedJson,
  printedLines,
  printedText,
} from "../../../src/cli/render/printed.js";
import { renderRows, withLabels } from "../../../src/cli/render/rows.js";
import { renderTable } from "../../../src/cli/render/table.js";
import { compileTemplate } from "../../../src/cli/render/template.js";
import { emitYaml } from "../../../src/compose/print/emit-yaml.js";
import type { ContainerInfo } from "../../../src/engine/types.js";
import { hasUnprintable, printable } from "../../../src/lib/printable.js";

/** One of each family: C0, ESC with a sequence, DEL, C1 CSI, bidi, zero-width, line separators, a tag. */
const HOSTILE = "a\u001b[2J\u0007\r\n\tb\u007f\u009b31m\u202e\u2066\u200e\u200b\u2028\u061c\ufeff\u{e0041}c";
const SHOWN = "a\\x1b[2J\\x07\\r\\n\\tb\\x7f\\u009b31m\\u202e\\u2066\\u200e\\u200b\\u2028\\u061c\\ufeff\\U000e0041c";
const controls = (text: string) => hasUnprintable(text.replaceAll("\n", ""));

describe("printed", () => {
  test("a word stays on its line, with nothing in it to obey", () => {
    expect(printed`${HOSTILE}:\t${1}\n`).toBe(`${SHOWN}:\t1\n`);
    expect(printedLines([HOSTILE, "x"])).toBe(`${SHOWN}\nx\n`);
  });
  test("what is no control character stays as it is", () => {
    const text = 'é 漢字 🚀 "\\ נ ب ✔ ⠿ … ';
    expect(printed`${text}`).toBe(text);
    expect(JSON.stringify(printedJson(text))).toBe(JSON.stringify(JSON.stringify(text)));
  });
  test("texts of ours keep their lines and tabs only; colours are put around what is clean already", () => {
    expect(printedText("a:\n\tb\u001b[31m\r\n")).toBe("a:\n\tb\\x1b[31m\\r\n");
    expect(painted("red", printed`${"x\u001b"}`)).toBe("\u001b[31mx\\x1b\u001b[39m");
    expect(joined([printed`a`, printed`b`], "\n")).toBe("a\nb");
  });
  test("JSON holds no control characters and means the same", () => {
    const value = { [HOSTILE]: [HOSTILE, { a: HOSTILE }] };
    for (const indent of [0, 4]) {
      const json = printedJson(value, indent);
      expect(controls(json)).toBe(false);
      expect(JSON.parse(json)).toEqual(value);
    }
  });
  test("so does YAML", () => {
    const value = { [HOSTILE]: HOSTILE, block: "a\nb\u202ec\n", list: ["\u200b", "plain", "a\nb\n"] };
    const yaml = emitYaml(value);
    expect(controls(yaml)).toBe(false);
    expect(printedText(yaml)).toBe(yaml);
    expect(parse(yaml)).toEqual(value);
  });
  test("what another program said becomes one line", () => {
    expect(printable(`${HOSTILE} https://u:p@h/`)).toBe("a [2J b 31m c https://***@h/");
  });
});

describe("rows", () => {
  const row = withLabels({ Name: "web", Labels: `k=${HOSTILE}` }, { k: HOSTILE });
  const shape = { columns: ["Name", "Labels"], headers: { Name: "NAME", Labels: "LABELS" } };

  test("a table has a line for each row", () => {
    const table = renderTable([
      ["A", "B"],
      [HOSTILE, HOSTILE],
    ]);
    expect(table.split("\n")).toHaveLength(3);
    expect(controls(table)).toBe(false);
  });
  test.each([
    "",
    "table",
    "{{.Labels}}",
    '{{.Label "k"}}',
    "table {{.Name}}\\t{{.Labels}}",
    '{{printf "%s|%q|%-9s" .Labels .Labels .Labels}}',
    "{{print .Labels}}",
    '{{join (split .Labels "b") .Labels}}',
    "{{lower .Labels}}{{upper .Labels}}{{title .Labels}}{{pad .Labels 1 1}}{{truncate .Labels 99}}{{slice .Labels 0 20}}",
    '{{index (split .Labels "=") 1}}',
    '{{range $i, $v := (split .Labels "b")}}{{$v}}{{end}}',
    "{{with .Labels}}{{.}}{{end}}",
    "{{$x := .Labels}}{{$x}}",
    "{{.}}",
  ])("template %s keeps words on the line of their row", (format) => {
    const text = renderRows([row, row], shape, format);
    expect(controls(text)).toBe(false);
    expect(text.trimEnd().split("\n")).toHaveLength(format === "" || format.startsWith("table") ? 3 : 2);
  });
  test("line ends and tabs of the template count", () => {
    expect(
      compileTemplate('{{println .a}}{{"\\t"}}{{printf "%s\\n" .a}}{{join .l "\\n"}}')({ a: "x\n", l: ["p\t", "q"] }),
    ).toBe("x\\n\n\tx\\n\np\\t\nq");
    expect(compileTemplate('{{$n := "\\n"}}{{.a}}{{$n}}{{lower "A\\n"}}')({ a: "x" })).toBe("x\na\n");
  });
  test("JSON gives the words back", () => {
    for (const format of ["json", "{{json .}}"]) {
      const text = renderRows([row], shape, format);
      expect(controls(text)).toBe(false);
      expect(JSON.parse(text)).toEqual({ Name: "web", Labels: `k=${HOSTILE}` });
    }
    expect(JSON.parse(compileTemplate("{{json .Labels}}")(row))).toBe(`k=${HOSTILE}`);
    expect(compileTemplate("{{if eq .Labels .Labels}}{{len .Labels}}{{end}}")(row)).toBe(String(`k=${HOSTILE}`.length));
  });
  test("ps --no-trunc of a hostile command line", () => {
    const info = {
      ...{ id: "1", name: "p-web-1", imageName: "x", argv: ["sh", HOSTILE], createdAt: "", labels: { a: HOSTILE } },
      ...{ state: "exited", exitCode: 0, startedAt: "", finishedAt: "", health: "none" },
      ...{ mounts: [], networks: [], ports: [], spec: { image: "x" } },
    } as unknown as ContainerInfo;
    const rows = [containerRow(info, { now: 0, trunc: false })];
    for (const format of ["", "{{.Command}} {{.Labels}}"])
      expect(controls(renderRows(rows, PS_FORMAT, format))).toBe(false);
  });
  test("progress lines", () => {
    const written: string[] = [];
    const progress = plainProgress({ write: (text: Printed) => written.push(text) });
    progress.update({ kind: "item", id: HOSTILE, status: "working", text: HOSTILE, details: HOSTILE });
    progress.update({ kind: "output", id: HOSTILE, stream: "stdout", text: HOSTILE });
    expect(written).toHaveLength(2);
    for (const text of written) expect(text.slice(0, -1)).not.toMatch(/[^\x20-\x7e]/);
  });
});

describe("there is no way around", () => {
  const CLI = resolve(import.meta.dirname, "../../../src/cli");
  const sources = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sources(path) : [path];
    });
  const files = sources(CLI).map((path) => ({
    name: relative(CLI, path),
    text: readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ""),
  }));
  const holding = (pattern: RegExp) =>
    files
      .filter(({ text }) => pattern.test(text))
      .map(({ name }) => name)
      .toSorted();

  test("only printed.ts makes printed text", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(holding(/\bas (?:unknown as )?Printed\b/)).toEqual(["render/printed.ts"]);
    expect(holding(/\bas (?:any|never)\b/)).toEqual([]);
  });
  test("the streams themselves are for containers' bytes, archives, and who draws", () => {
    expect(holding(/\b(?:ctx|context)\.std(?:out|err)\b/)).toEqual([
      "commands/container-logs.ts", // a container's output
      "commands/exec.ts", // the terminal's size
      "commands/export.ts", // an archive
      "commands/image-save.ts", // an archive
      "commands/logs.ts", // a container's output, after a prefix
      "copy/copy-files.ts", // an archive
      "lifecycle/menu.ts", // the line below the output
      "lifecycle/up-attached.ts", // containers' output, after a prefix
      "stdio.ts", // a container's output
    ]);
    expect(holding(/\bprocess\.std(?:out|err)\b|\bconsole\./)).toEqual(["main.ts"]);
    const writers = holding(/\.write\(/).filter((name) => !name.startsWith("render/"));
    expect(writers).toEqual([
      "commands/container-logs.ts", // a container's output
      "main.ts", // waits for the streams
      "open-context.ts", // print, note, warn: `PrintedStream`
      "program.ts", // errors and help: `PrintedStream`
      "stdio.ts", // a container's output
    ]);
  });
});
