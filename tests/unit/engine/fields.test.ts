/** Nothing that a caller hands to the engine is dropped in silence: every field of what goes in is read by some file of it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "@jest/globals";

const ENGINE = resolve(import.meta.dirname, "../../../src/engine");
/** Faces and folders of the public types; that they name a field is no use of it. */
const VOCABULARY = ["types.ts", "api.ts", "types", "api"];

/** Public types that callers fill in. */
const INPUTS = [
  ...["BindMount", "VolumeMount", "TmpfsMount", "ImageMount", "FileInjection", "NetworkAttachment", "PortMapping"],
  ...[
    "Healthcheck",
    "RestartPolicy",
    "Ulimit",
    "DeviceSpec",
    "Resources",
    "LoggingSpec",
    "ContainerSpec",
    "NetworkSubnet",
  ],
  ...["NetworkSpec", "VolumeSpec", "ExecSpec", "LogOptions", "EngineOptions", "LabelFilter", "PullOptions"],
  ...["ArtifactRequest", "BuildRequest", "LoginTarget"],
];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (folder === ENGINE && VOCABULARY.includes(entry.name)) return [];
    return entry.isDirectory() ? sources(path) : [path];
  });
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
const vocabulary = ["types", "api"]
  .flatMap((name) => sources(join(ENGINE, name)))
  .map((path) => withoutComments(readFileSync(path, "utf8")))
  .join("\n");
const code = sources(ENGINE)
  .map((path) => withoutComments(readFileSync(path, "utf8")))
  .join("\n");

/** `readonly name?:` lines of an interface. */
function fieldsOf(type: string): string[] {
  const body = new RegExp(`export interface ${type}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(vocabulary)?.[1] ?? "";
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name ?? "");
}

/** `.name`, `{ name }` of a destructuring (or of a shorthand), or `"name"` of a table of keys. */
const isRead = (name: string) => new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*[,}=]|"${name}"`).test(code);

test("every field that a caller fills in is read by a file of the engine", () => {
  const fields = INPUTS.flatMap((type) => fieldsOf(type).map((name) => [type, name] as const));
  expect(fields.length).toBeGreaterThan(150);
  expect(isRead("noSuchFieldAnywhere")).toBe(false);
  expect(INPUTS.filter((type) => fieldsOf(type).length === 0)).toEqual([]);
  expect(fields.filter(([, name]) => !isRead(name)).map(([type, name]) => `${type}.${name}`)).toEqual([]);
});
