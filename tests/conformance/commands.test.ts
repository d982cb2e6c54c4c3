/** Every command and flag of docker compose, as listed in ../shared/reference/compose.md §1, is declared here. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { loadAllCommands } from "../../src/cli/all-commands.js";
import { globalOptionSpecs } from "../../src/cli/globals.js";

const REFERENCE = resolve(import.meta.dirname, "../../../shared/reference/compose.md");

/** Commands of the reference that belong to later issues (Kubernetes bridge). */
const LATER = new Set([
  "bridge",
  "bridge convert",
  "bridge transformations",
  "bridge transformations create",
  "bridge transformations list",
]);

interface Wanted {
  readonly command: string;
  readonly flags: readonly string[];
}

/** Rows of the table `| command | in podman-compose | docker compose flags | … |`. */
function wanted(): Wanted[] {
  return readFileSync(REFERENCE, "utf8")
    .split("\n")
    .filter((line) => /^\| `/.test(line))
    .flatMap((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      const command = cells[1]?.replaceAll("`", "");
      const flags = [...(cells[3] ?? "").matchAll(/--([a-z][a-z-]*)/g)].map((match) => match[1] ?? "");
      return command === undefined || !/^(\(global\)|[a-z]+( [a-z-]+)*)$/.test(command) ? [] : [{ command, flags }];
    });
}

const check = existsSync(REFERENCE) ? test : test.skip;

describe("commands and flags", () => {
  check("none of docker compose's is missing", async () => {
    const commands = new Map((await loadAllCommands()).map((command) => [command.name, command]));
    const rows = wanted().filter((row) => !LATER.has(row.command));
    expect(rows.length).toBeGreaterThan(40);
    const missing: string[] = [];
    for (const { command, flags } of rows) {
      const options = command === "(global)" ? globalOptionSpecs : commands.get(command)?.options;
      if (options === undefined) missing.push(command);
      const names = new Set(options?.map((option) => option.long));
      missing.push(
        ...flags.filter((flag) => options !== undefined && !names.has(flag)).map((flag) => `${command} --${flag}`),
      );
    }
    expect(missing).toEqual([]);
  });
});
