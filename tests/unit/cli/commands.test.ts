import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { globalOptionSpecs } from "../../../src/cli/globals.js";
import { commandHelp, overviewHelp } from "../../../src/cli/help.js";
import { commandTable, findCommand, loadAllCommands } from "../../../src/cli/table.js";
import { VERSION } from "../../../src/cli/version.js";

describe("the command table", () => {
  test("every entry declares itself under its own name, with summary and example", async () => {
    const specs = await loadAllCommands();
    expect(specs.map(({ name }) => name)).toEqual(commandTable.map(({ name }) => name));
    for (const spec of specs) {
      expect(spec.summary).not.toBe("");
      expect(spec.example).toMatch(/tscompose/);
      const longs = spec.options.map(({ long }) => long);
      expect(new Set(longs).size).toBe(longs.length);
      const shorts = spec.options.flatMap(({ short }) => (short === undefined ? [] : [short]));
      expect(new Set(shorts).size).toBe(shorts.length);
      expect(commandHelp(spec)).toContain(spec.example);
    }
    const overview = overviewHelp(specs, "");
    for (const spec of specs) if (spec.hidden !== true) expect(overview).toContain(`  ${spec.name}`);
    const shorts = globalOptionSpecs.flatMap(({ short }) => (short === undefined ? [] : [short]));
    expect(new Set(shorts).size).toBe(shorts.length);
  });
  test("the longest name wins; aliases are found", () => {
    expect(findCommand(["image", "ls", "x"])?.entry.name).toBe("image ls");
    expect(findCommand(["image", "list"])?.consumed).toBe(2);
    expect(findCommand(["bridge", "transformations", "ls"])?.entry.name).toBe("bridge transformations list");
    expect(findCommand(["ps", "web"])?.consumed).toBe(1);
    expect(findCommand(["nope"])).toBeUndefined();
  });
  test("the version is package.json's", () => {
    const path = resolve(import.meta.dirname, "../../../package.json");
    expect(JSON.parse(readFileSync(path, "utf8")).version).toBe(VERSION);
  });
});
