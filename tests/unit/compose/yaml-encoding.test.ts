import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { loadProject } from "../../../src/compose/index.js";
import { nodeFs } from "../../../src/compose/node-fs.js";
import { decodeYaml } from "../../../src/compose/yaml/encoding.js";
import { parseYaml } from "../../../src/compose/yaml/parse.js";

const text = "services:\n  a: { image: 'x é €' }\n";
const swapped = (value: string) => Buffer.from(value, "utf16le").swap16();

test.each([
  ["UTF-8", Buffer.from(text)],
  ["UTF-16, little end first", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")])],
  ["UTF-16, big end first", Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(text)])],
  ["half a last character", Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(text), Buffer.from([0])])],
])("%s", (_name, bytes) => {
  expect(decodeYaml(bytes, "f")).toBe(text);
});

test.each([
  ["Latin-1", Buffer.from("a: 1\nb: caf\xe9 x\n", "latin1"), 2, 7],
  ["a character cut off", Buffer.from([0x61, 0x3a, 0x20, 0xe2, 0x82]), 1, 4],
  ["a replacement character before the mistake", Buffer.concat([Buffer.from("a: \ufffd "), Buffer.from([0xff])]), 1, 6],
])("bytes that are no text are told with their place: %s", (_name, bytes, line, column) => {
  expect(() => decodeYaml(bytes, "f")).toThrow(
    expect.objectContaining({ code: "TSC_COMPOSE_YAML", where: expect.objectContaining({ line, column }) }),
  );
});

test("a replacement character that was written is kept", () => {
  expect(decodeYaml(Buffer.from("a: \ufffd"), "f")).toBe("a: \ufffd");
});

test.each(["\0", "\x07", "\x1b", "\x7f", "\x9f", "\ud800", "\uffff"])(
  "the character %j must be escaped",
  (character) => {
    expect(() => parseYaml(`a: 1\nb: x${character}y\n`, "f")).toThrow(
      expect.objectContaining({
        code: "TSC_COMPOSE_YAML",
        message: "failed to parse f: yaml: line 2: control characters are not allowed",
        where: expect.objectContaining({ line: 2, column: 5 }),
      }),
    );
    expect(parseYaml('a: "\\0\\a\\e\\x7f"\n', "f").documents).toHaveLength(1);
  },
);

async function load(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "tsc-many-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return await loadProject({ cwd: folder, env: {}, fs: nodeFs });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("files that include two others each end early", async () => {
  const files: Record<string, string> = { "compose.yaml": "include: [a0.yaml]\nservices: { s: { image: x } }\n" };
  for (let i = 0; i < 40; i++)
    for (const name of ["a", "b"]) files[`${name}${i}.yaml`] = `include: [a${i + 1}.yaml, b${i + 1}.yaml]\n`;
  for (const name of ["a", "b"]) files[`${name}40.yaml`] = "services: {}\n";
  await expect(load(files)).rejects.toMatchObject({
    code: "TSC_COMPOSE_INCLUDE",
    message: expect.stringContaining("more than 1000 files are included"),
  });
});

test("a chain of extends that has no end in sight is refused, a long one is followed", async () => {
  const chain = (length: number) =>
    `services:\n${Array.from({ length }, (_, i) => `  s${i}: { extends: s${i + 1} }\n`).join("")}  s${length}: { image: x }\n`;
  await expect(load({ "compose.yaml": chain(5000) })).rejects.toMatchObject({ code: "TSC_COMPOSE_EXTENDS" });
  const project = await load({ "compose.yaml": chain(400) });
  expect(project.services["s0"]?.image).toBe("x");
});
