/** Plays the open corpus of ../shared/conformance/corpus in this process, in place: nothing is written there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { LoadOptions, Project } from "../../../src/compose/index.js";
import { loadModel, loadProject, toConfigYaml, variablesOf } from "../../../src/compose/index.js";
import { serviceHash } from "../../../src/plan/hash.js";
import { imageName } from "../../../src/plan/names.js";
import type { Outcome } from "./shared.js";
import { config, difference, judge, optionsOf, SHARED } from "./shared.js";

/** What is compared for each case. */
export const KINDS = ["json", "yaml", "no-interpolate", "lists", "variables", "hash", "errors"] as const;
export type Kind = (typeof KINDS)[number];

interface CaseFile {
  readonly id: string;
  readonly root: string;
  readonly project_dir: string;
  readonly files: readonly string[];
  readonly global_args: readonly string[];
  readonly exit: number;
}

/** One case: its description, where its inputs are, and what the reference printed. */
export interface CorpusCase {
  readonly id: string;
  readonly folder: string;
  readonly source: string;
  readonly options: LoadOptions;
  readonly exit: number;
  /** A file of `expect`, the inputs' folder filled in; undefined when there is none. */
  expected(file: string): string | undefined;
}

/** Every case, sorted by folder. */
export function corpusCases(): CorpusCase[] {
  const root = join(SHARED, "corpus");
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "case.json")
    .map((entry) => entry.parentPath)
    .toSorted()
    .map((folder) => {
      // published data with a documented shape
      const description = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as CaseFile;
      const source = join(folder, description.root);
      const args = [...description.files.flatMap((file) => ["-f", file]), ...description.global_args];
      return {
        id: description.id,
        folder,
        source,
        options: { cwd: join(source, description.project_dir), env: { HOME: "/home/u" }, ...optionsOf(args) },
        exit: description.exit,
        expected: (file) => {
          const path = join(folder, "expect", file);
          if (!existsSync(path)) return undefined;
          let text = readFileSync(path, "utf8");
          for (const up of ["/../../..", "/../..", "/..", ""])
            text = text.replaceAll(`@@CASE@@${up}`, join(source, up));
          return text;
        },
      };
    });
}

/** Runs one comparison of one case; undefined when the reference has no such answer. */
export async function playCase(one: CorpusCase, kind: Kind): Promise<Outcome | undefined> {
  const name = `${one.id} ${kind}`;
  if (one.exit !== 0) {
    if (kind !== "errors") return undefined;
    return await judge(name, { refused: one.expected("stderr.txt") ?? "" }, () => config(one.options));
  }
  switch (kind) {
    case "json": {
      const text = one.expected("config.json");
      if (text === undefined || text.trim() === "") return undefined;
      return await judge(name, { value: JSON.parse(text) }, () => config(one.options));
    }
    case "yaml": {
      const text = one.expected("config.yaml");
      if (text === undefined || text.trim() === "") return undefined;
      const read = (yaml: string) => JSON.parse(JSON.stringify(parse(yaml, { logLevel: "silent" }) ?? {}));
      return await judge(name, { value: read(text) }, async () =>
        read(await toConfigYaml(await loadProject(one.options))),
      );
    }
    case "no-interpolate": {
      const text = one.expected("no-interpolate.yaml");
      if (text === undefined || text.trim() === "") return undefined;
      return await judge(name, { value: parse(text, { logLevel: "silent" }) }, async () => {
        const { tree } = await loadModel({ ...one.options, noInterpolate: true });
        return JSON.parse(
          JSON.stringify(tree, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value)),
        );
      });
    }
    case "lists":
      return await lists(one, name);
    case "variables": {
      const text = one.expected("variables.txt");
      if (text === undefined) return undefined;
      return await judge(name, { value: variableRows(text) }, async () => {
        const { tree } = await loadModel({ ...one.options, noInterpolate: true });
        return [...variablesOf(tree).values()]
          .map(({ name, required, defaultValue, presenceValue }) =>
            [name, String(required), defaultValue, presenceValue].join(" ").replace(/\s+/g, " ").trim(),
          )
          .toSorted();
      });
    }
    case "hash": {
      const text = one.expected("hash.txt");
      return text === undefined ? undefined : await hashes(one, name, text);
    }
    case "errors":
      return undefined;
  }
}

function variableRows(text: string): string[] {
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "")
    .toSorted();
}

const listers: Readonly<Record<string, (project: Project) => readonly string[]>> = {
  services: (project) => Object.keys(project.services),
  volumes: (project) => Object.keys(project.volumes),
  networks: (project) => Object.keys(project.networks),
  images: (project) =>
    Object.entries(project.services).map(([name, service]) => imageName(project.name, name, service)),
  profiles: (project) => [
    ...new Set(
      [...Object.values(project.services), ...Object.values(project.disabledServices)].flatMap(
        ({ profiles }) => profiles ?? [],
      ),
    ),
  ],
};

async function lists(one: CorpusCase, name: string): Promise<Outcome> {
  const whys: string[] = [];
  const project = await loadProject({ ...one.options, noEnvResolution: true });
  for (const [list, of] of Object.entries(listers)) {
    const text = one.expected(`${list}.txt`);
    if (text === undefined) continue;
    const wanted = text.split("\n").filter((line) => line !== "");
    const why = difference(of(project).toSorted(), wanted.toSorted());
    if (why !== "") whys.push(`--${list}: ${why}`);
  }
  return { name, why: whys.join("\n") };
}

/** A hash over the inputs' absolute folder (binds, env_file) cannot be compared: the reference's folder is not known. */
async function hashes(one: CorpusCase, name: string, text: string): Promise<Outcome | undefined> {
  const project = await loadProject(one.options);
  const written = await loadProject({ ...one.options, noEnvResolution: true });
  const comparable = text
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([service = ""]) => {
      const { build: _build, ...hashed } = written.services[service] ?? {};
      return project.services[service] !== undefined && !JSON.stringify(hashed).includes(SHARED);
    });
  if (comparable.length === 0) return undefined;
  const wrong = comparable.filter(([service = "", wanted]) => {
    const own = project.services[service];
    return own === undefined || serviceHash(own) !== wanted;
  });
  return { name, why: wrong.map(([service]) => `hash of ${String(service)} differs`).join("\n") };
}
