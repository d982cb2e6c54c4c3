import { describe, expect, test } from "@jest/globals";
import { startsAtBoot } from "../../../src/engine/runtime/supervise.js";
import type { RestartPolicy } from "../../../src/engine/types.js";
import { planBoot } from "../../../src/plan/boot.js";
import { formatPlan } from "../../../src/plan/plan.js";
import { container, observed, project } from "./fixtures.js";

const needs = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { condition: "service_healthy", required: true } as const]));

test("what waits for the boot starts, what others depend on first; nothing else is touched or waited for", () => {
  const wanted = project({
    web: { restart: "always", depends_on: needs("db", "quiet") },
    db: { restart: "unless-stopped" },
    quiet: {},
  });
  const boot = { state: "exited", awaitsBoot: true } as const;
  const now = observed(wanted, [
    container(wanted, "web", 1, boot),
    container(wanted, "web", 2),
    container(wanted, "db", 1, boot),
    container(wanted, "quiet", 1, { state: "exited" }),
  ]);
  expect(`\n${formatPlan(planBoot(now))}`).toBe(`
#1 start container db-1: restart is unless-stopped
#2 start container web-1: restart is always (after #1?)
`);
});

test("labels that go in a circle do not hang it", () => {
  const wanted = project({ a: { depends_on: needs("b") }, b: { depends_on: needs("a") } });
  const boot = { state: "exited", awaitsBoot: true } as const;
  const now = observed(wanted, [container(wanted, "a", 1, boot), container(wanted, "b", 1, boot)]);
  expect(planBoot(now).operations).toHaveLength(2);
});

describe("docker's rule at the start of its daemon", () => {
  const row = (policy: RestartPolicy["policy"], change = {}) =>
    ({
      spec: { restart: { policy } },
      stoppedByUser: false,
      restartCount: 0,
      exitCode: 255,
      startedAt: "2026-01-01T00:00:00Z",
      ...change,
    }) as Parameters<typeof startsAtBoot>[0];
  test.each<[string, Parameters<typeof startsAtBoot>[0], boolean]>([
    ["always", row("always"), true],
    ["always, stopped", row("always", { stoppedByUser: true }), true],
    ["always, never started", row("always", { startedAt: "" }), false],
    ["unless-stopped", row("unless-stopped"), true],
    ["unless-stopped, stopped", row("unless-stopped", { stoppedByUser: true }), false],
    ["on-failure", row("on-failure"), true],
    ["on-failure, done", row("on-failure", { exitCode: 0 }), false],
    ["no", row("no"), false],
  ])("%s", (_, given, wanted) => {
    expect(startsAtBoot(given)).toBe(wanted);
  });
});
