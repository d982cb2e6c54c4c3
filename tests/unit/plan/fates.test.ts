/** What becomes of a container, case by case; the text of whole plans is in up.test.ts. */
import { describe, expect, test } from "@jest/globals";
import type { ContainerInfo } from "../../../src/engine/types.js";
import { observeContainer } from "../../../src/plan/observe.js";
import type { ContainerFate, OwnFate } from "../../../src/plan/reconcile/fate.js";
import { fateOf, fatesOf, orphanOf, type Surroundings } from "../../../src/plan/up/fates.js";
import { container, project } from "./fixtures.js";

const stack = project({
  db: {},
  web: { depends_on: { db: { condition: "service_started", required: true, restart: true } } },
  log: { depends_on: { web: { condition: "service_started", required: true, restart: true } } },
  loose: { depends_on: { db: { condition: "service_started", required: true } }, networks: {} },
});

function own(
  service: string,
  fate: "kept" | "started" | "surplus" | "replaced",
  change: Partial<ContainerInfo> = {},
): OwnFate {
  const observed = observeContainer(container(stack, service, 1, change));
  const about = { service, number: 1, target: { name: observed.name, service }, cause: "x", observed };
  if (fate === "replaced") return { ...about, fate, early: false, spec: observed.info.spec };
  return fate === "started" ? { ...about, fate, from: "stopped" } : { ...about, fate };
}

const around = (change: Partial<Surroundings> = {}): Surroundings => ({
  project: stack,
  replacedNetworks: new Set(),
  replacedVolumes: new Set(),
  before: new Map(),
  ...change,
});
const told = (one: ContainerFate) => ("by" in one ? `${one.fate} ${JSON.stringify(one.by)}` : one.fate);

describe("fateOf", () => {
  test("with nothing made anew around it, a container's own fate stands", () => {
    for (const fate of ["kept", "started", "surplus"] as const)
      expect(fateOf(own("web", fate), around()).fate).toBe(fate);
    expect(fateOf(own("web", "replaced"), around())).toMatchObject({ fate: "replaced", early: false });
  });

  test("a network that is made anew takes who is on it down, and what is replaced out early", () => {
    const anew = around({ replacedNetworks: new Set(["p_default"]) });
    expect(told(fateOf(own("web", "kept"), anew))).toBe('bounced {"network":"p_default"}');
    expect(told(fateOf(own("web", "started", { state: "exited" }), anew))).toBe('bounced {"network":"p_default"}');
    expect(fateOf(own("web", "replaced"), anew)).toMatchObject({ early: true });
    expect(fateOf(own("web", "surplus"), anew).fate).toBe("surplus");
    expect(fateOf(own("loose", "kept", { networks: [] }), anew).fate).toBe("kept");
  });

  test("a volume that is made anew takes what is replaced out early", () => {
    const mounts = [
      { type: "volume", name: "v", source: "", target: "/v", readOnly: false, anonymous: false },
    ] as const;
    const anew = around({ replacedVolumes: new Set(["v"]) });
    expect(fateOf(own("web", "replaced", { mounts }), anew)).toMatchObject({ early: true });
    expect(fateOf(own("web", "replaced"), anew)).toMatchObject({ early: false });
  });

  test("restart: true carries on from service to service, to what runs", () => {
    const order = ["db", "loose", "web", "log"];
    const fates = (web: OwnFate) => {
      const decided = new Map([
        ["db", [own("db", "replaced")]],
        ["web", [web]],
        ["log", [own("log", "kept")]],
        ["loose", [own("loose", "kept")]],
      ]);
      const { before: _before, ...rest } = around();
      return fatesOf(order, decided, rest).map(told);
    };
    expect(fates(own("web", "kept"))).toEqual([
      "replaced",
      "kept",
      'bounced {"dependency":"db"}',
      'bounced {"dependency":"web"}',
    ]);
    // one that does not run is not taken down, and takes nobody down
    expect(fates(own("web", "started", { state: "exited" }))).toEqual(["replaced", "kept", "started", "kept"]);
  });

  test("an orphan is what it is", () => {
    const observed = observeContainer(container(project({ old: {} }), "old", 1));
    expect(orphanOf(observed)).toMatchObject({ fate: "orphan", target: { name: "p-old-1", id: observed.id } });
  });
});
