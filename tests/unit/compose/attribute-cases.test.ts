/**
 * Every attribute of the model, from YAML to YAML: `attribute-cases/*.yaml` have what is written and what `config` prints for it, as
 * docker compose 2.40.3 does unless the case says otherwise. An attribute of the model's tables that no case prints fails.
 */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import type { LoadOptions } from "../../../src/compose/index.js";
import { toConfigYaml } from "../../../src/compose/index.js";
import type { Struct } from "../../../src/compose/model/kinds.js";
import { ATTRIBUTES, SECTIONS } from "../../../src/compose/model/project.js";
import { load } from "./project.js";

const FOLDER = resolve(import.meta.dirname, "attribute-cases");

/** What is never printed, by the place or by all places below it. */
const NEVER_PRINTED: Readonly<Record<string, string>> = {
  "services.*.extends": "the base is merged in and the key is gone; a case shows it",
  "services.*.label_file": "its labels are printed below `labels`; a case shows it",
  "secrets.*.content": "the value of `environment`, which is secret; a case shows it",
  "configs.*.driver": "configs share the table of secrets; the schema refuses it",
  "configs.*.driver_opts": "as driver",
  "services.*.deploy.resources.limits.devices": "limits share the table of reservations; the schema refuses it",
  "services.*.deploy.resources.limits.generic_resources": "as limits.devices",
  "services.*.deploy.resources.reservations.pids": "reservations share the table of limits; the schema refuses it",
  "services.*.post_start[].image": "all hooks share the table of pre_start; the schema refuses it",
  "services.*.post_start[].per_replica": "as post_start[].image",
  "services.*.pre_stop[].image": "as post_start[].image",
  "services.*.pre_stop[].per_replica": "as post_start[].image",
  "services.*.develop.watch[].exec.image": "as post_start[].image",
  "services.*.develop.watch[].exec.per_replica": "as post_start[].image",
};

interface Case {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly options: Partial<LoadOptions>;
  readonly printed: string;
}

/** The cases of a file: what is written, `--- # prints`, what is printed, `---`. The comments on top are title, setting and notes. */
function casesOf(name: string): Case[] {
  const texts = readFileSync(resolve(FOLDER, name), "utf8").split(/^---\n/m);
  return texts.map((text) => {
    const [written = "", printed] = text.split(/^--- # prints\n/m);
    const [title = "", ...comments] = written.split("\n").filter((line) => line.startsWith("# "));
    if (printed === undefined) throw new Error(`${name}: ${title}: nothing is printed`);
    return { title: `${name}: ${title.slice(2)}`, printed, ...settingOf(written, comments) };
  });
}

/** `# env NAME=VALUE`, `# file NAME: LINE`, `# config FLAG…`; a line that begins otherwise is a note. */
function settingOf(written: string, comments: readonly string[]): Pick<Case, "files" | "options"> {
  const files: Record<string, string> = { "compose.yaml": written };
  const env: Record<string, string> = { HOME: "/home/u" };
  let options: Partial<LoadOptions> = { env };
  for (const comment of comments) {
    const [, word, name = "", value = ""] = /^# (env|file|config) ([^\s:=]+)(?:=|: | |$)(.*)$/.exec(comment) ?? [];
    if (word === "env") env[name] = value;
    else if (word === "file") files[name] = `${value}\n`;
    else if (name === "--profile") options = { ...options, profiles: [value] };
    else if (name === "--no-env-resolution") options = { ...options, noEnvResolution: true };
    else if (word === "config") throw new Error(`unknown flag ${name}`);
  }
  return { files, options };
}

/** The places of all attributes that a printed struct has. */
function placesOf(value: unknown, struct: Struct, place: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]: [string, unknown]) => {
    const field = struct.find((one) => one.name === name);
    if (field === undefined) return [];
    const path = `${place}.${name}`;
    const [inner, values] =
      field.kind === "structs"
        ? [`${path}[]`, entry as readonly unknown[]]
        : field.kind === "map-of-structs"
          ? [`${path}.*`, Object.values(entry as object)]
          : [path, [entry]];
    return [path, ...values.flatMap((one) => placesOf(one, field.struct ?? [], inner))];
  });
}

const cases = readdirSync(FOLDER).toSorted().flatMap(casesOf);
const covered = new Set(
  cases.flatMap(({ printed }) => {
    const config = parse(printed) as Readonly<Record<string, object>>;
    return Object.entries(SECTIONS).flatMap(([section, struct]) =>
      Object.values(config[section] ?? {}).flatMap((entry) => placesOf(entry, struct, `${section}.*`)),
    );
  }),
);
const isNeverPrinted = (path: string): boolean =>
  Object.keys(NEVER_PRINTED).some((place) => [".", "["].some((next) => `${path}.`.startsWith(`${place}${next}`)));

describe("attributes from YAML to YAML", () => {
  test.each(cases)("$title", async ({ files, options, printed }) => {
    expect(await toConfigYaml(await load(files, options))).toBe(printed);
  });

  test("what is printed loads again, and is printed as it was", async () => {
    for (const { files, options, printed } of cases) {
      const again = await toConfigYaml(await load({ ...files, "compose.yaml": printed }, options));
      expect(again).toBe(printed);
    }
  });

  test("every attribute of the model is in a case", () => {
    const paths = ATTRIBUTES.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(340);
    expect(paths.filter((path) => !covered.has(path) && !isNeverPrinted(path))).toEqual([]);
  });

  test("what is said to be never printed exists, and is not printed", () => {
    const paths = ATTRIBUTES.map(({ path }) => path);
    expect(Object.keys(NEVER_PRINTED).filter((place) => !paths.includes(place))).toEqual([]);
    expect([...covered].filter(isNeverPrinted)).toEqual([]);
  });
});
