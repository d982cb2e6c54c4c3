/**
 * Commands × flags of the program against the table of docker compose's commands in the reference (compose.md §1). As a program it prints
 * the table: `node scripts/flag-table.ts [REFERENCE.md]`; the conformance test uses its functions.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** One flag of the reference: `-f,--file=` takes a value, `(h)` is hidden there. */
export interface WantedFlag {
  readonly long: string;
  readonly short: string | undefined;
  readonly hasValue: boolean;
}
export interface WantedCommand {
  readonly name: string;
  readonly flags: readonly WantedFlag[];
}
export interface ProgramFlag {
  readonly long: string;
  readonly short?: string;
  readonly hasValue: boolean;
}
/** Flags by command; `(global)` are those before the command. */
export type ProgramTable = ReadonlyMap<string, readonly ProgramFlag[]>;

/** Commands of the reference that belong to a later part (Kubernetes). */
export const LATER: ReadonlySet<string> = new Set([
  ...["bridge", "bridge convert", "bridge transformations"],
  ...["bridge transformations create", "bridge transformations list"],
]);

/** Accepted with a warning that says why they change nothing here, as `command --flag`. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...["build --builder", "build --memory", "build --provenance", "build --sbom", "build --ssh"],
]);

/** Where the reference lies beside this repository. */
export const REFERENCE = resolve(import.meta.dirname, "../../shared/reference/compose.md");

/** Rows of the table `| command | in podman-compose | docker compose flags | … |`. */
export function wantedCommands(reference: string): readonly WantedCommand[] {
  return reference
    .split("\n")
    .filter((line) => /^\| `/.test(line))
    .flatMap((line) => {
      // a flag's note may hold a bar of its own in square brackets
      const cells = line.split("|").map((cell) => cell.trim());
      const name = cells[1]?.replaceAll("`", "") ?? "";
      if (!/^(\(global\)|[a-z]+( [a-z-]+)*)$/.test(name)) return [];
      return [{ name, flags: wantedFlags(cells[3] ?? "") }];
    });
}

function wantedFlags(cell: string): readonly WantedFlag[] {
  return [...cell.matchAll(/(?:-([a-zA-Z]),)?--([a-z][a-z-]*)(=?)/g)].map(([, short, long = "", equals]) => ({
    long,
    short,
    hasValue: equals === "=",
  }));
}

/** What is not as the reference says, one line each; empty when nothing is missing. */
export function differences(wanted: readonly WantedCommand[], program: ProgramTable): readonly string[] {
  return wanted.flatMap(({ name, flags }) => {
    const own = program.get(name);
    if (own === undefined) return [`${name}: no such command`];
    return flags.flatMap((flag) => {
      const found = own.find(({ long }) => long === flag.long);
      if (found === undefined) return [`${name} --${flag.long}: missing`];
      if (flag.short !== undefined && found.short !== flag.short) return [`${name} --${flag.long}: no -${flag.short}`];
      // `--pull` of build and the like: an optional value is a boolean here that takes =true|false
      return found.hasValue === flag.hasValue
        ? []
        : [`${name} --${flag.long}: takes ${flag.hasValue ? "a" : "no"} value`];
    });
  });
}

/** The table for a closing note, totals last. */
export function flagTable(wanted: readonly WantedCommand[], program: ProgramTable): string {
  const lines = ["| command | flags | declared | with effect | own flags |", "|---|---|---|---|---|"];
  const sum = { commands: 0, later: 0, flags: 0, declared: 0, effective: 0 };
  for (const { name, flags } of wanted) {
    const own = program.get(name);
    const declared = flags.filter(({ long }) => own?.some((flag) => flag.long === long));
    const effective = LATER.has(name) ? [] : declared.filter(({ long }) => !WITHOUT_EFFECT.has(`${name} --${long}`));
    const extra = (own ?? []).filter(({ long }) => !flags.some((flag) => flag.long === long));
    lines.push(
      `| ${name}${LATER.has(name) ? " (later)" : ""} | ${flags.length} | ${declared.length} | ${effective.length} | ${extra.map(({ long }) => `--${long}`).join(" ")} |`,
    );
    if (name !== "(global)") sum.commands++;
    if (LATER.has(name)) sum.later++;
    sum.flags += flags.length;
    sum.declared += declared.length;
    sum.effective += effective.length;
  }
  lines.push(
    "",
    `commands: ${sum.commands - sum.later} of ${sum.commands} (${sum.later} belong to the Kubernetes bridge)`,
    `flags: ${sum.declared} of ${sum.flags} declared, ${sum.effective} with effect; without, and saying so: ${[...WITHOUT_EFFECT].join(", ")}`,
  );
  return `${lines.join("\n")}\n`;
}

/** The program's own table, as the built program tells it. */
function tableOfProgram(): ProgramTable {
  const program = join(import.meta.dirname, "../bin/tscompose");
  const text = execFileSync(program, ["commands", "--json"], { encoding: "utf8", maxBuffer: 1 << 24 });
  const parsed = JSON.parse(text) as Record<string, { flags: { long: string; short?: string; value?: string }[] }>;
  return new Map(
    Object.entries(parsed).map(([name, { flags }]) => [
      name,
      flags.map(({ long, short, value }) => ({
        long: long.slice(2),
        ...(short === undefined ? {} : { short: short.slice(1) }),
        hasValue: value !== undefined,
      })),
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reference = process.argv[2] ?? REFERENCE;
  if (!existsSync(reference)) throw new Error(`no reference at ${reference}`);
  const wanted = wantedCommands(readFileSync(reference, "utf8"));
  const program = tableOfProgram();
  process.stdout.write(flagTable(wanted, program));
  for (const line of differences(wanted, program)) process.stdout.write(`differs: ${line}\n`);
}
