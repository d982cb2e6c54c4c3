/**
 * A value that is empty is dropped by one phase and relied on by another: nothing at every place of the schema, through all that reads a
 * project. It is answered or refused with an error of ours that names something; `npm run fuzz` compares the answers with the reference.
 */
import { expect, test } from "@jest/globals";
import { checkProject, loadModel, loadProject, toConfigJson, toModelText } from "../../src/compose/index.js";
import { isTscError } from "../../src/lib/errors.js";
import { formatPlan } from "../../src/plan/plan.js";
import { planUp } from "../../src/plan/up.js";
import { image, observed } from "../unit/plan/fixtures.js";
import { emptyValues } from "./support/empty-values.js";
import { BESIDE, schemaPlaces } from "./support/schema-paths.js";
import { treeFs } from "./support/tree-fs.js";

const beside = Object.fromEntries(Object.entries(BESIDE).map(([name, text]) => [`/p/${name}`, text]));
/** Every image is there, whatever it is called. */
const images = new Proxy(new Map<string, ReturnType<typeof image>>(), {
  get: (target, key) => (key === "get" ? (name: string) => image(name) : Reflect.get(target, key)),
});
const now = { ...observed(undefined), images };

/** Who loads a project of this text, each alone: one must not hide the faults of another. */
function uses(text: string): readonly (() => Promise<unknown>)[] {
  const options = { cwd: "/p", env: { HOME: "/h" }, files: ["compose.yaml"], warn: () => undefined };
  const from = { ...options, fs: treeFs({ ...beside, "/p/compose.yaml": text }) };
  return [
    async () => {
      const project = await loadProject({ ...from, noPathResolution: true, noNormalize: true, noConsistency: true });
      toConfigJson(project);
    },
    async () => toModelText((await loadModel({ ...from, noInterpolate: true, noPathResolution: true })).tree, "json"),
    async () => {
      const project = await loadProject({ ...from, allProfiles: true, allResources: true });
      toConfigJson(project);
      checkProject(
        {
          project,
          rootless: true,
          unprivilegedPort: 1024,
          networkDriver: () => undefined,
          exists: () => false,
          realPath: (path) => path,
        },
        [],
      );
      formatPlan(await planUp(project, now, { confirm: () => false }));
    },
  ];
}

/** Undefined for an error of ours. */
function fault(error: unknown): string | undefined {
  const all: readonly unknown[] = isTscError(error) && "errors" in error ? (error.errors as unknown[]) : [error];
  const stranger = all.find((one) => !isTscError(one) || one.code === "TSC_INTERNAL" || one.message === "");
  if (stranger === undefined) return undefined;
  return stranger instanceof Error ? (stranger.stack ?? stranger.message) : String(stranger);
}

test("nothing, at every place of the schema, is no internal error of anything that reads a project", async () => {
  const faults: string[] = [];
  for (const { name, text } of emptyValues()) {
    for (const use of uses(text)) {
      const why = await use().then(() => undefined, fault);
      if (why !== undefined) faults.push(`${name}\n${why}`);
    }
  }
  expect(faults).toEqual([]);
}, 300_000);

test("the places are those of the schema, and each is read where it stands", async () => {
  const places = schemaPlaces();
  const paths = places.map(({ path }) => path);
  for (const known of ["services.x.env_file[].path", "services.x.build.args{}", "networks{}.ipam.config[].subnet"])
    expect(paths).toContain(known);
  expect(new Set(paths).size).toBe(paths.length);
  expect(places.length).toBeGreaterThan(400);
});
