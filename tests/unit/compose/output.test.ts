/** The text of `config`: quoting, order of keys, numbers. Expected texts are what Docker Compose 2.40.3 printed for the same data. */
import { describe, expect, test } from "@jest/globals";
import { loadModel, loadProject, toConfigJson, toConfigYaml, toModelText } from "../../../src/compose/index.js";
import { emitYaml } from "../../../src/compose/print/emit-yaml.js";
import { byteOrder, naturalOrder } from "../../../src/compose/print/key-order.js";
import { goJson } from "../../../src/lib/go-json.js";
import { treeFs } from "../../conformance/support/tree-fs.js";

function options(text: string, files: Readonly<Record<string, string>> = {}) {
  return {
    cwd: "/p",
    env: {},
    files: ["compose.yaml"],
    fs: treeFs({ "/p/compose.yaml": text, ...files }),
  };
}

describe("YAML scalars", () => {
  test.each([
    ...[
      "80:80",
      "1000:1000",
      "02:42:ac",
      "0.0.0.0",
      "1.2.3",
      "1e",
      "-f",
      "--",
      "a:b",
      "a#b",
      "a'b",
      "C:\\x",
      "2020-13-45",
    ],
    ...["=", ":a", "?a", "1,2", "a [b", "é", "tRue", "1e400", "5s", "51820/udp"],
  ])("%s is printed as it is", (text) => {
    expect(emitYaml({ k: text })).toBe(`k: ${text}\n`);
  });
  test.each([
    "-",
    "- a",
    "---",
    "a: b",
    "a:",
    "a #b",
    "#a",
    ",a",
    "[a",
    "{a",
    "&a",
    "*a",
    "!a",
    "|a",
    "%a",
    "@a",
    "`a",
    " a",
    '"a',
  ])("%j needs single quotes", (text) => {
    expect(emitYaml({ k: text })).toBe(`k: '${text}'\n`);
  });
  test.each([
    "",
    "~",
    "null",
    "yes",
    "No",
    "y",
    "true",
    "0",
    "08",
    "0o7",
    "0x1F",
    "1_000",
    "1e3",
    ".5",
    ".inf",
    "1:2",
    "22:22",
    "2020-01-01",
    "12:30:45",
  ])("%j would be something else without double quotes", (text) => {
    expect(emitYaml({ k: text })).toBe(`k: "${text}"\n`);
  });
  test.each([
    ["'", "''''"],
    ["a\nb", "|-\n  a\n  b"],
    ["a\nb\n\n", "|+\n  a\n  b\n"],
    ["\na", "|2-\n\n  a"],
    ["a\tb\nc", "|-\n  a\tb\n  c"],
    ["a \nb", '"a \\nb"'],
    ["a\tb", '"a\\tb"'],
    ["\u{1F600}", '"\\U0001F600"'],
    ["a\x1bb", '"a\\eb"'],
  ])("%j", (text, printed) => {
    expect(emitYaml({ k: text })).toBe(`k: ${printed}\n`);
  });
});

test("keys are ordered by the numbers in them in YAML and by bytes in JSON", () => {
  const keys = [
    "a10",
    "a2",
    "A",
    "CS2_SERVERNAME",
    "CS2_SERVER_HIBERNATE",
    "HTTPS_PORT",
    "HTTP_PORT",
    "10",
    "2",
    "a-b",
    "a11b",
    "a11a",
    "a01",
    "00",
    "0a",
  ];
  expect([...keys].sort(naturalOrder)).toEqual([
    "0a",
    "00",
    "2",
    "10",
    "A",
    "CS2_SERVER_HIBERNATE",
    "CS2_SERVERNAME",
    "HTTP_PORT",
    "HTTPS_PORT",
    "a-b",
    "a01",
    "a2",
    "a10",
    "a11a",
    "a11b",
  ]);
  expect([...keys].sort(byteOrder).slice(0, 4)).toEqual(["00", "0a", "10", "2"]);
});

test("JSON is Go's: escapes for HTML, exact integers, entries of a map in their order", () => {
  expect(goJson({ a: "<&>\u2028" })).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028"}');
  expect(
    goJson(
      new Map<string, unknown>([
        ["10", 9223372036854775807n],
        ["9", []],
      ]),
      2,
    ),
  ).toBe('{\n  "10": 9223372036854775807,\n  "9": []\n}');
});

test("variables of an env_file stand where the environment belongs", async () => {
  const text = "services:\n  a:\n    image: x\n    env_file: e.env\n    volumes: [/a:/b]\n";
  const project = await loadProject(options(text, { "/p/e.env": "A=1\n" }));
  expect(Object.keys(project.services["a"] ?? {})).toEqual([
    "command",
    "entrypoint",
    "environment",
    "image",
    "networks",
    "volumes",
  ]);
});

test("create_host_path is printed as it is written", async () => {
  const mount = (bind: string) =>
    `services: {a: {image: x, volumes: [{type: bind, source: /a, target: /b, bind: ${bind}}]}}`;
  expect(await toConfigYaml(await loadProject(options(mount("{create_host_path: false}"))))).toContain(": false");
  expect(toConfigJson(await loadProject(options(mount("{propagation: rslave}"))))).not.toContain("create_host_path");
});

test("an empty list in an extension is null in JSON", async () => {
  const project = await loadProject(options("x-a: {b: [], c: {}}\nservices: {a: {image: x}}"));
  expect(JSON.parse(toConfigJson(project))["x-a"]).toEqual({ b: null, c: {} });
  expect(await toConfigYaml(project)).toContain("  b: []\n  c: {}\n");
});

test("keys below a service called like an attribute are fields, not names", async () => {
  const project = await loadProject(options("services: {labels: {image: x, x-a: 1, expose: ['1'], command: a}}"));
  expect(Object.keys(JSON.parse(toConfigJson(project)).services.labels)).toEqual([
    "command",
    "entrypoint",
    "expose",
    "image",
    "networks",
  ]);
});

test("a model that is not normalised keeps the name as it is spelt", async () => {
  const file = options("name: My_${A:-B}\nservices: {a: {image: x}}");
  expect((await loadProject({ ...file, noNormalize: true })).name).toBe("My_B");
  expect((await loadProject({ ...file, noNormalize: true, projectName: "p" })).name).toBe("p");
  expect((await loadProject(file)).name).toBe("my_b");
  const raw = await loadModel({ ...file, noInterpolate: true, noNormalize: true });
  expect(toModelText(raw.tree, "yaml")).toContain("name: My_${A:-B}\n");
});

test("integers beyond 2^53 are values like others", async () => {
  const text =
    "services: {a: {image: x, environment: {A: 9223372036854775807, B: 99999999999999999999, C: 1e999, D: 1234567.5}}}";
  const project = await loadProject(options(text));
  expect(project.services["a"]?.environment).toEqual({
    A: "9223372036854775807",
    B: "1e+20",
    C: "1e999",
    D: "1.2345675e+06",
  });
});

test("only files that are loaded whole are told that `version` is obsolete", async () => {
  const text = 'version: "3"\nservices: {a: {extends: {file: b.yaml, service: a}}}';
  const project = await loadProject(options(text, { "/p/b.yaml": 'version: "3"\nservices: {a: {image: x}}' }));
  expect(project.warnings.map(({ message }) => message.split(":")[0])).toEqual(["/p/compose.yaml"]);
});
