/** What is read although our YAML parser wants more indentation than the reference's: quotes and brackets over several lines. */
import { describe, expect, test } from "@jest/globals";
import { parseYaml } from "../../../src/compose/yaml/parse.js";

const tree = (text: string): unknown =>
  JSON.parse(JSON.stringify(parseYaml(text, "f").documents.map((one) => one.tree)));

describe("lines left of where YAML wants them", () => {
  test.each([
    ["double quotes", 'a:\n    b: "x\ny\n\n  z"\n    c: 1\n', { a: { b: "x y\nz", c: 1 } }],
    ["single quotes", "a:\n    b: 'it''s\nx'\n", { a: { b: "it's x" } }],
    ["a list", "a:\n    b: [\n  x,\n'y # no',\n  ]\n    c: 1\n", { a: { b: ["x", "y # no"], c: 1 } }],
    [
      "a map with a comment",
      "a:\n    b: { # it's [\n  x: it's,\n  y: '} ]'\n}\n",
      { a: { b: { x: "it's", y: "} ]" } } },
    ],
    [
      "several",
      "a:\n  b: [\n x]\n  c: [\n y, {z:\n1}]\n  d: 'e\nf'\n",
      { a: { b: ["x"], c: ["y", { z: 1 }], d: "e f" } },
    ],
    ["JSON", '{\n"a": {\n"b": [\n1\n]\n}\n}\n', { a: { b: [1] } }],
  ])("%s", (_name, text, expected) => {
    expect(tree(text)).toEqual([expected]);
  });

  test("places stay on their lines", () => {
    const file = parseYaml("a:\n    b: [\n  x,\n  y]\n    c: 1\n", "f");
    expect(file.locate(["a", "c"])?.place.line).toBe(5);
    expect(file.locate(["a", "b", 1])?.place.line).toBe(4);
  });

  test.each(['a:\n  b: "x\n---\ny"\n', "a:\n  b: [\n x\n", 'a:\n  b: "x\n', "a:\n    b: [x]\n   c: 1\n"])(
    "%j stays a mistake",
    (text) => {
      expect(() => parseYaml(text, "f")).toThrow(/yaml: line/);
    },
  );

  test("thousands of them are given up early", () => {
    const start = process.cpuUsage();
    expect(() => parseYaml(`a:\n${"  - [\nx]\n".repeat(50_000)}`, "f")).toThrow(/yaml: line/);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(10);
  });
});

test("numbers of 64 bits, and what only looks like one", () => {
  expect(parseYaml("[0x1f, 0o17, 017, 1_000, 1e999, 99999999999999999999]", "f").documents[0]?.tree).toEqual([
    31,
    15,
    15,
    1000,
    "1e999",
    1e20,
  ]);
  expect(parseYaml("[18446744073709551615, -9223372036854775808]", "f").documents[0]?.tree).toEqual([
    18446744073709551615n,
    -9223372036854775808n,
  ]);
});

test("!!binary: base64 with its padding, over several lines too; anything else is refused at its place", () => {
  expect(tree('a: !!binary aGVsbG8=\nb: !!binary "aGVs\\nbG8="\n')).toEqual([{ a: "hello", b: "hello" }]);
  for (const text of ["x", "aGVsbG8", "a*b=", "aGVsbG8=="]) {
    expect(() => tree(`a: 1\nb: !!binary "${text}"\n`)).toThrow("!!binary value contains invalid base64 data");
  }
  expect(() => tree("? !!binary x\n: 1\n")).toThrow("!!binary value contains invalid base64 data");
});

describe("the line breaks of YAML 1.1", () => {
  test.each([
    ["behind a key", "a:\u2028  b: 1\n", { a: { b: 1 } }],
    ["after a comment", "a:\n  b: 1 # c\u2029  d: 2\n", { a: { b: 1, d: 2 } }],
    ["between entries", "a:\n  b: c\u0085  d: e\n", { a: { b: "c", d: "e" } }],
    ["in quotes they are text", 'a: "b\u2028c"\n', { a: "b\u2028c" }],
    ["but the next line is folded", "a: 'b\u0085c'\n", { a: "b c" }],
  ])("%s", (_name, text, expected) => {
    expect(tree(text)).toEqual([expected]);
  });

  test("what follows one is another line", () => {
    expect(() => parseYaml("a: b\u2028c\n", "f")).toThrow(/yaml: line 2/);
  });
});

describe("tags and merge keys as tools write them", () => {
  test.each([
    ["!!merge", "b: &b {c: 1}\na:\n  !!merge <<: *b\n", { c: 1 }],
    ["! means nothing", "b: &b {c: 1}\na:\n  ! <<: *b\n", { c: 1 }],
    ["a quoted key is a key", "a: {'<<': 1}\n", { "<<": 1 }],
    ["a text is a key", "a: {!!str <<: 1}\n", { "<<": 1 }],
    ["tags of others leave text", 'a: [!vault "x", !Ref 12, !x true, !<!foo> 1]\n', ["x", "12", "true", "1"]],
    ["handles", "%TAG !e! tag:example.com,2000:\n---\na: !e!x 12\n", "12"],
    ["collections of others", "a: !custom {b: !custom [1]}\n", { b: [1] }],
    ["!override leaves text, too", "a: [!override 12, !override null, !override ]\n", ["12", "null", ""]],
    ["core tags", "a: [!!str 1, !!int '2', !!float 3, !!bool 'true', !!null '']\n", ["1", 2, 3, true, null]],
    ["! of a plain value", "a: [! 12, ! null, ! '3']\n", [12, null, "3"]],
  ])("%s", (_name, text, expected) => {
    expect(tree(text)).toEqual([expect.objectContaining({ a: expected })]);
  });

  test.each([
    ["a: !!bool yes", "cannot decode !!str `yes` as a !!bool"],
    ["a: !!int 1.5", "cannot decode !!float `1.5` as a !!int"],
    ["a: !!null x", "cannot decode !!str `x` as a !!null"],
    ["a: !!float x", "cannot decode !!str `x` as a !!float"],
  ])("%s", (text, message) => {
    expect(() => parseYaml(text, "f")).toThrow(`yaml: line 1: ${message}`);
  });
});

describe("dates are no texts", () => {
  test.each(["2020-01-02", "2020-1-2 3:4:5", "2020-01-02T03:04:05Z"])("%s", (text) => {
    expect(() => parseYaml(`a:\n  b: [${text}]\n`, "f")).toThrow("yaml: line 2: a.b[0] is a date, not a text");
  });

  test("extensions hold them, quotes make texts, and there is no 30th of February", () => {
    const text = "x-a: {b: 2020-1-2, c: 2020-01-02T03:04:05.60+01:00}\nd: '2020-01-02'\ne: 2020-02-30\nf: 2020-01\n";
    expect(tree(text)).toEqual([
      {
        "x-a": { b: "2020-01-02T00:00:00Z", c: "2020-01-02T03:04:05.6+01:00" },
        d: "2020-01-02",
        e: "2020-02-30",
        f: "2020-01",
      },
    ]);
  });
});
