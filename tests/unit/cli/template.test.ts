import { describe, expect, test } from "@jest/globals";
import { renderRows } from "../../../src/cli/render/rows.js";
import { compileTemplate } from "../../../src/cli/render/template.js";

const data = {
  Name: "web-1",
  State: "running",
  Count: 3,
  Empty: "",
  Ports: [
    { Port: 80, Proto: "tcp" },
    { Port: 53, Proto: "udp" },
  ],
  Labels: { b: "2", a: "1" },
  Label: (name: unknown) => (name === "a" ? "1" : ""),
};
const render = (source: string) => compileTemplate(source)(data);

describe("Go templates", () => {
  test.each([
    ["{{.Name}}", "web-1"],
    ["[{{ .Name }}] {{.State}}", "[web-1] running"],
    ["{{json .Labels}}", '{"b":"2","a":"1"}'],
    ["{{upper .Name}}", "WEB-1"],
    ['{{.Name | upper | printf "%q"}}', '"WEB-1"'],
    ['{{if eq .State "running" "paused"}}up{{else}}down{{end}}', "up"],
    ["{{if .Empty}}x{{else if gt .Count 2}}y{{else}}z{{end}}", "y"],
    ["{{range .Ports}}{{.Port}}/{{.Proto}} {{end}}", "80/tcp 53/udp "],
    ["{{range $i, $p := .Ports}}{{$i}}={{$p.Port}};{{end}}", "0=80;1=53;"],
    ["{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}", "a1b2"],
    ["{{range .Empty}}x{{else}}none{{end}}", "none"],
    ["{{with .Name}}{{.}}{{end}}", "web-1"],
    ['{{.Label "a"}}', "1"],
    ['{{join (split .Name "-") "+"}}', "web+1"],
    ['{{index .Labels "b"}} {{(index .Ports 1).Port}}', "2 53"],
    ["a {{- .Count -}} b", "a3b"],
    ["{{/* note */}}x", "x"],
    ["{{$n := .Count}}{{$n}}", "3"],
    ["{{len .Ports}} {{truncate .Name 3}} {{pad .Name 1 0}}", "2 web  web-1"],
    ["{{.Ports}}", "[map[Port:80 Proto:tcp] map[Port:53 Proto:udp]]"],
    ["{{not .Empty}} {{and .Name .State}} {{or .Empty .State}}", "true running running"],
    ['{{"a}}b"}}', "a}}b"],
    ["{{.NAME}}", "web-1"],
  ])("%s", (source, expected) => expect(render(source)).toBe(expected));

  test.each([
    "{{",
    "{{.Nope}}",
    "{{nope .Name}}",
    "{{if .Name}}",
    "{{end}}",
    "{{.Name | }}",
    "{{$x}}",
    "{{.Name.Deep}}",
  ])("%s is refused", (source) => expect(() => render(source)).toThrow(/template/));
  test("prototypes are out of reach", () => {
    expect(() => render("{{.constructor}}")).toThrow(/can't evaluate field/);
    expect(() => render("{{.Labels.constructor}}")).toThrow(/can't evaluate field/);
  });
});

describe("renderRows", () => {
  const shape = { columns: ["Name", "State"], headers: { Name: "NAME", State: "STATE" } };
  const rows = [
    { Name: "a", State: "running" },
    { Name: "longer-name", State: "exited" },
  ];
  test("the default table", () => {
    expect(renderRows(rows, shape, "")).toBe("NAME          STATE\na             running\nlonger-name   exited\n");
  });
  test("a table of one's own", () => {
    expect(renderRows(rows, shape, "table {{.State}}\\t{{.Name}}")).toBe(
      "STATE     NAME\nrunning   a\nexited    longer-name\n",
    );
    expect(renderRows([], shape, "table {{.Name}}")).toBe("NAME\n");
  });
  test("json is one object a line", () => {
    expect(renderRows(rows, shape, "json")).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  });
  test("a template a row", () => expect(renderRows(rows, shape, "{{.Name}}")).toBe("a\nlonger-name\n"));
  test("control characters do not reach the terminal", () => {
    expect(renderRows([{ Name: "a\u001b[2J", State: "x" }], shape, "")).not.toContain("\u001b");
  });
});
