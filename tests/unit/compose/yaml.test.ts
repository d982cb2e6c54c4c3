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
