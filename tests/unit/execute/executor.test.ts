import { describe, expect, test } from "@jest/globals";
import type { EngineApi } from "../../../src/engine/api.js";
import type { ContainerSpec } from "../../../src/engine/types.js";
import type { ExecuteEvent } from "../../../src/execute/events.js";
import { execute } from "../../../src/execute/executor.js";
import { TscError } from "../../../src/lib/errors.js";
import { type Plan, PlanBuilder } from "../../../src/plan/plan.js";

/** An engine that records calls; `fail` names calls that throw, `hold` calls that wait. */
function engine(options: { fail?: string[]; hold?: Map<string, Promise<void>> } = {}) {
  const calls: string[] = [];
  let running = 0;
  let most = 0;
  const call = async (name: string): Promise<void> => {
    calls.push(name);
    running++;
    most = Math.max(most, running);
    await options.hold?.get(name);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (options.fail?.includes(name) === true) throw new TscError("TSC_INTERNAL", `${name} failed`);
  };
  const api = {
    containers: {
      create: async (spec: ContainerSpec) => {
        await call(
          `create ${spec.name}${spec.networkMode?.kind === "container" ? ` in ${spec.networkMode.container}` : ""}`,
        );
        return `id-${spec.name}`;
      },
      start: (id: string) => call(`start ${id}`),
      stop: (id: string) => call(`stop ${id}`),
    },
    networks: { remove: () => Promise.reject(new TscError("TSC_NETWORK_IN_USE", "in use")) },
    events: { stream: async function* () {} },
  } as unknown as EngineApi;
  return { api, calls, most: () => most };
}

function upOf(...names: string[]): Plan {
  const plan = new PlanBuilder("p");
  for (const name of names) {
    const container = { name, service: name };
    const made = plan.add(
      { resource: name, cause: "" },
      { kind: "create-container", container, spec: { name, image: "x" } },
    );
    plan.add({ resource: name, cause: "", dependsOn: [made] }, { kind: "start-container", container });
  }
  return plan.build();
}

async function run(plan: Plan, on: ReturnType<typeof engine>, more: { parallel?: number; signal?: AbortSignal } = {}) {
  const events: ExecuteEvent[] = [];
  const error = await execute(plan, { engine: on.api, emit: (event) => events.push(event), ...more }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, told: events.map((e) => (e.type === "status" ? `${e.name} ${e.text}` : e.type)) };
}

describe("execute", () => {
  test("runs as wide as the dependencies allow, with docker's words", async () => {
    const on = engine();
    const { told } = await run(upOf("a", "b"), on);
    expect(on.calls).toEqual(["create a", "create b", "start id-a", "start id-b"]);
    expect(told).toEqual(expect.arrayContaining(["a Creating", "a Created", "a Starting", "a Started"]));
  });

  test("is bounded by parallel", async () => {
    const on = engine();
    await run(upOf("a", "b", "c", "d"), on, { parallel: 1 });
    expect(on.most()).toBe(1);
  });

  test("a failure skips what depends on it and nothing else, and all failures are told", async () => {
    const on = engine({ fail: ["create a", "start id-b"] });
    const { error } = await run(upOf("a", "b", "c"), on);
    expect(on.calls).not.toContain("start id-a");
    expect(on.calls).toContain("start id-c");
    expect(error).toMatchObject({ errors: [{ message: "create a failed" }, { message: "start id-b failed" }] });
  });

  test("`after` waits but does not care for success", async () => {
    const plan = new PlanBuilder("p");
    const web = { name: "web", id: "web", service: "web" };
    const db = { name: "db", id: "db", service: "db" };
    const first = plan.add({ resource: "web", cause: "" }, { kind: "stop-container", container: web });
    plan.add({ resource: "db", cause: "", after: [first] }, { kind: "stop-container", container: db });
    const on = engine({ fail: ["stop web"] });
    const { error } = await run(plan.build(), on);
    expect(on.calls).toEqual(["stop web", "stop db"]);
    expect(error).toMatchObject({ message: "stop web failed" });
  });

  test("an interrupt starts nothing more and ends with 130", async () => {
    const stop = new AbortController();
    const hold = new Map([["create a", new Promise<void>((resolve) => setTimeout(resolve, 20))]]);
    const on = engine({ hold });
    const running = run(upOf("a"), on, { signal: stop.signal });
    stop.abort();
    const { error } = await running;
    expect(on.calls).not.toContain("start id-a");
    expect(error).toMatchObject({ code: "TSC_CANCELLED", exitCode: 130 });
  });

  test("a shared namespace refers to the container that this plan made", async () => {
    const plan = new PlanBuilder("p");
    const db = { name: "db", service: "db" };
    const made = plan.add(
      { resource: "db", cause: "" },
      { kind: "create-container", container: db, spec: { name: "db", image: "x" } },
    );
    plan.add(
      { resource: "side", cause: "", dependsOn: [made] },
      {
        kind: "create-container",
        container: { name: "side", service: "side" },
        spec: { name: "side", image: "x", networkMode: { kind: "container", container: "db" } },
      },
    );
    const on = engine();
    await run(plan.build(), on);
    expect(on.calls).toEqual(["create db", "create side in id-db"]);
  });

  test("a network that is still used is told and left", async () => {
    const plan = new PlanBuilder("p");
    plan.add({ resource: "n", cause: "" }, { kind: "remove-network", name: "n", tolerant: true });
    const { error, told } = await run(plan.build(), engine());
    expect(error).toBeUndefined();
    expect(told).toEqual(["n Removing", "n Resource is still in use"]);
  });
});
