/** Every command and flag of docker compose, as listed in ../shared/reference/compose.md §1, is declared here and read by its command. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  differences,
  flagTable,
  LATER,
  type ProgramTable,
  REFERENCE,
  WITHOUT_EFFECT,
  wantedCommands,
} from "../../scripts/flag-table.js";
import type { OptionSpec } from "../../src/cli/command.js";
import { globalOptionSpecs } from "../../src/cli/globals.js";
import { commandHelp } from "../../src/cli/help.js";
import { loadAllCommands } from "../../src/cli/table.js";

const check = existsSync(REFERENCE) ? test : test.skip;
const CLI = resolve(import.meta.dirname, "../../src/cli");

/** Accepted so that old scripts go on, each of them with its reason in the help. */
const NOTHING_TO_DO = new Set([
  ...["build --compress", "build --force-rm", "build --no-rm", "build --parallel"],
  ...["pull --no-parallel", "pull --parallel", "pull --force-local", "rm --all", "kill --all"],
  ...["cp --overwrite", "logs --names", "(global) --insecure-registry", "(global) --no-cleanup"],
  // every network is
  ...["network create --attachable"],
  // read by their help, which one loop tells (globals.ts)
  ...globalOptionSpecs
    .filter(({ help }) => help.startsWith("Not used: there is no daemon"))
    .map(({ long }) => `(global) --${long}`),
]);

async function program(): Promise<ProgramTable> {
  const flags = (options: readonly OptionSpec[]) =>
    options.map(({ long, short, value }) => ({
      long,
      ...(short === undefined ? {} : { short }),
      hasValue: value !== undefined,
    }));
  const commands = await loadAllCommands();
  return new Map([
    ["(global)", flags(globalOptionSpecs)],
    ...commands.map(({ name, options }) => [name, flags(options)] as const),
  ]);
}

/** All of the command line's code but the declarations of options. */
function code(): string {
  return readdirSync(CLI, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(CLI, path), "utf8"))
    .join("\n");
}

describe("commands and flags", () => {
  check("none of docker compose's is missing, with their letters and values", async () => {
    const wanted = wantedCommands(readFileSync(REFERENCE, "utf8"));
    expect(wanted.length).toBeGreaterThan(45);
    expect(wanted.flatMap(({ flags }) => flags).length).toBeGreaterThan(200);
    expect(differences(wanted, await program())).toEqual([]);
    expect(flagTable(wanted, await program())).toMatch(/flags: (\d+) of \1 declared/);
  });
  test("every flag is read somewhere, or says that it has no effect", async () => {
    const text = code();
    const unread = [...(await program())].flatMap(([name, flags]) =>
      flags
        .filter(({ long }) => !long.startsWith("podman-") && long !== "pod-args")
        .filter(() => !LATER.has(name))
        .filter(
          ({ long }) =>
            !new RegExp(`((flag|text|number|int|list|given|has|refuseBoth)\\([^()]*|\\[)"${long}"`).test(text),
        )
        .map(({ long }) => `${name} --${long}`)
        .filter((flag) => !NOTHING_TO_DO.has(flag) && !WITHOUT_EFFECT.has(flag)),
    );
    expect(unread).toEqual([]);
  });
  test("every command has a summary, an example of its own and help for each flag", async () => {
    for (const spec of await loadAllCommands()) {
      expect(spec.summary).not.toBe("");
      const own = spec.example.includes(spec.name) || spec.name.startsWith("__") || spec.hidden === true;
      expect(own ? "" : `${spec.name}: ${spec.example}`).toBe("");
      for (const option of spec.options) expect(`${spec.name} ${option.long} ${option.help}`).toMatch(/ \S+ \S{2,}/);
      expect(commandHelp(spec)).toContain("Usage:  tscompose");
    }
  });
});
