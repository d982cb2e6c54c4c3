import { describe, expect, test } from "@jest/globals";
import type { Build, DependencyCondition, Project, Service } from "../../../src/compose/model.js";
import { buildPlatforms } from "../../../src/plan/build-platforms.js";
import { planDown } from "../../../src/plan/down.js";
import { planPull } from "../../../src/plan/image-commands.js";
import { imageReferences, planImages } from "../../../src/plan/images.js";
import { planKill, planPause, planRemove } from "../../../src/plan/lifecycle.js";
import { formatPlan } from "../../../src/plan/plan.js";
import { planRestart } from "../../../src/plan/restart.js";
import { planStart } from "../../../src/plan/start.js";
import { planStop } from "../../../src/plan/stop.js";
import { container, image, observed, project } from "./fixtures.js";

const needsDb = { depends_on: { db: { condition: "service_healthy", required: true } } } as const;
const stack = project({ db: {}, web: needsDb });
const up = () => observed(stack, [container(stack, "db", 1), container(stack, "web", 1)]);
const down = () =>
  observed(stack, [container(stack, "db", 1, { state: "exited" }), container(stack, "web", 1, { state: "exited" })]);
const all = { services: [], project: stack };

describe("stop, start, restart", () => {
  test("dependents stop first; a failed stop does not keep the others from stopping", () => {
    expect(formatPlan(planStop(up(), all))).toBe(
      "#1 stop container web-1: stop\n#2 stop container db-1: stop (after #1?)\n",
    );
  });

  test("without a compose file the labels know the order", () => {
    expect(formatPlan(planStop(up(), { services: [] }))).toBe(formatPlan(planStop(up(), all)));
  });

  test("dependencies start first and are waited for", () => {
    expect(formatPlan(planStart(down(), all))).toBe(
      "#1 start container db-1: is exited\n" +
        "#2 wait for healthy service db: web depends on it (after #1)\n" +
        "#3 start container web-1: is exited (after #1 #2)\n",
    );
  });

  test("a service without a container cannot be started", () => {
    expect(() => planStart(observed(stack), { services: ["web"], project: stack })).toThrow(
      'service "web" has no container to start',
    );
  });

  test("restart: true carries a restart on, plain dependencies do not", () => {
    const only = { services: ["db"], project: stack };
    expect(formatPlan(planRestart(up(), only))).toBe("#1 restart container db-1: restart\n");
    const tied = project({
      db: {},
      web: { depends_on: { db: { condition: "service_started", required: true, restart: true } } },
    });
    const now = observed(tied, [container(tied, "db", 1), container(tied, "web", 1)]);
    expect(formatPlan(planRestart(now, { services: ["db"], project: tied }))).toBe(
      "#1 restart container db-1: restart\n#2 restart container web-1: depends on a restarted service (after #1)\n",
    );
  });

  test("a restart waits for what `restart: true` dependencies promise, once for all replicas", () => {
    const tied = (condition: DependencyCondition, restart = true, required = true) =>
      project({ db: {}, web: { depends_on: { db: { condition, required, restart } } } });
    const text = (of: Project) =>
      formatPlan(
        planRestart(observed(of, [container(of, "db", 1), container(of, "web", 1), container(of, "web", 2)]), {
          services: [],
          project: of,
        }),
      );
    const [db, wait] = ["#1 restart container db-1: restart\n", "service db: web depends on it (after #1)\n"];
    expect(text(tied("service_healthy"))).toBe(
      `${db}#2 wait for healthy ${wait}#3 restart container web-1: restart (after #1 #2)\n#4 restart container web-2: restart (after #1 #2)\n`,
    );
    expect(text(tied("service_completed_successfully", true, false))).toBe(
      `${db}#2 wait for completed successfully ${wait}#3 restart container web-1: restart (after #1? #2?)\n#4 restart container web-2: restart (after #1? #2?)\n`,
    );
    expect(text(tied("service_healthy", false))).toBe(
      `${db}#2 restart container web-1: restart (after #1)\n#3 restart container web-2: restart (after #1)\n`,
    );
  });

  test("an unknown service is refused, kill and rm take what applies to them", () => {
    expect(() => planStop(up(), { services: ["nope"], project: stack })).toThrow("no such service: nope");
    expect(planKill(down(), all, "SIGKILL").operations).toEqual([]);
    expect(planRemove(up(), all, {}).operations).toEqual([]);
    expect(formatPlan(planRemove(up(), { services: ["web"], project: stack }, { stop: true }))).toBe(
      "#1 stop container web-1: rm --stop\n#2 remove container web-1: rm (after #1)\n",
    );
  });

  test("by the project's name alone a service without containers is told, and refused only where the reference does", () => {
    const gone = { services: ["gone"] };
    const told = ['service "gone" has no container in project "p"'];
    for (const plan of [planStop(up(), gone), planPause(up(), gone, "pause"), planDown(up(), gone)])
      expect({ operations: plan.operations, warnings: plan.warnings }).toEqual({ operations: [], warnings: told });
    expect(planRemove(up(), gone, { stop: true }).operations).toEqual([]);
    expect(planKill(up(), gone, "SIGKILL").operations).toEqual([]);
    expect(() => planRestart(up(), gone)).toThrow("no such service: gone");
    expect(() => planStart(up(), gone)).toThrow('service "gone" has no container to start');
  });

  test("a paused container is one that start must speak of", () => {
    const frozen = observed(stack, [container(stack, "db", 1, { state: "paused" }), container(stack, "web", 1)]);
    expect(formatPlan(planStart(frozen, { services: ["db"], project: stack }))).toBe(
      "#1 start container db-1: is paused\n",
    );
  });
});

describe("down", () => {
  test("takes everything of the project, dependents first, then the network", () => {
    expect(formatPlan(planDown(up(), { project: stack }))).toBe(
      "#1 stop container web-1: down\n" +
        "#2 stop container db-1: down (after #1?)\n" +
        "#3 remove container web-1: down (after #1?)\n" +
        "#4 remove container db-1: down (after #2?)\n" +
        "#5 remove network default: down (after #3? #4?)\n",
    );
  });

  test("of one service leaves the network that others use", () => {
    expect(formatPlan(planDown(up(), { project: stack, services: ["web"] }))).toBe(
      "#1 stop container web-1: down\n#2 remove container web-1: down (after #1?)\n",
    );
  });

  test("says that there is nothing", () => {
    const nothing = { ...observed(undefined), networks: new Map() };
    expect(planDown(nothing, { project: undefined }).warnings).toEqual([
      'No resource found to remove for project "p".',
    ]);
  });

  test("keeps external networks", () => {
    const wanted = { ...stack, networks: { default: { name: "p_default", external: true, ipam: {} } } };
    expect(formatPlan(planDown(up(), { project: wanted }))).not.toContain("network");
  });
});

describe("images", () => {
  const now = Date.parse("2026-11-24T00:00:00Z");
  const text = (services: Parameters<typeof project>[0], stored: string[] = [], options = {}): string =>
    formatPlan(planImages(project(services), new Map(stored.map((name) => [name, image(name)])), { now, ...options }));

  test("missing ones are pulled or built, once per image", () => {
    expect(text({ a: { image: "x" }, b: { image: "x" }, c: { build: { context: "/c" } } })).toBe(
      "#1 pull image x: is not stored\n#2 build image p-c of c: is not stored\n",
    );
    expect(text({ a: { image: "x" } }, ["x"])).toBe("");
  });

  test("an image that a service of the project builds is not pulled for another", () => {
    expect(text({ a: { image: "x", build: { context: "/a" } }, b: { image: "x" } })).toBe(
      "#1 build image x of a: is not stored\n",
    );
  });

  test("what is built upon is built first", () => {
    const services = {
      a: { build: { context: "/a", additional_contexts: { base: "service:b" } } },
      b: { build: { context: "/b" } },
    };
    expect(text(services)).toBe(
      "#1 build image p-b of b: a builds upon it\n#2 build image p-a of a: is not stored (after #1)\n",
    );
  });

  test("policies: always, never, refresh", () => {
    expect(text({ a: { image: "x", pull_policy: "always" } }, ["x"])).toContain("pull policy is always");
    expect(() => text({ a: { image: "x", pull_policy: "never" } })).toThrow("No such image: x");
    const tagged = (at: string) => new Map([["x", { ...image("x"), lastTaggedAt: at }]]);
    const daily = project({ a: { image: "x", pull_policy: "daily" } });
    expect(planImages(daily, tagged("2026-11-23T20:00:00Z"), { now }).operations).toEqual([]);
    expect(planImages(daily, tagged("2026-11-22T20:00:00Z"), { now }).operations).toHaveLength(1);
  });

  test("two platforms of one name are two images", () => {
    const services = { a: { image: "x", platform: "linux/arm64" }, b: { image: "x" }, c: { image: "x" } };
    expect(imageReferences(project(services))).toEqual(["x", "x linux/arm64"]);
    const plan = planImages(project(services), new Map(), { now });
    expect(
      plan.operations.map((o) => (o.kind === "pull-image" ? [o.image, o.platform, o.services] : undefined)),
    ).toEqual([
      ["x", undefined, ["b", "c"]],
      ["x", "linux/arm64", ["a"]],
    ]);
  });

  test("a service is built for what it runs on, and build for all that is listed", () => {
    const of = (config: Partial<Service>, options: Parameters<typeof buildPlatforms>[2] = {}) =>
      buildPlatforms("s", { command: null, entrypoint: null, ...config }, options);
    const build = { context: ".", platforms: ["linux/amd64", "linux/arm64"] };
    expect(of({ build: { context: "." } })).toEqual([]);
    expect(of({ build: { context: "." }, platform: "linux/386" })).toEqual(["linux/386"]);
    expect(of({ build: { context: "." } }, { defaultPlatform: "linux/386" })).toEqual(["linux/386"]);
    // several and none of them wanted: the builder's own, never just the first
    expect(of({ build })).toEqual([]);
    expect(of({ build: { ...build, platforms: ["linux/arm64"] } })).toEqual(["linux/arm64"]);
    expect(of({ build, platform: "linux/arm64" })).toEqual(["linux/arm64"]);
    expect(of({ build }, { everyPlatform: true })).toEqual(["linux/amd64", "linux/arm64"]);
    expect(of({ build, platform: "linux/arm64" }, { everyPlatform: true })).toEqual(["linux/amd64", "linux/arm64"]);
    expect(() => of({ build }, { defaultPlatform: "windows/amd64" })).toThrow(
      'service "s" build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: windows/amd64',
    );
    expect(() => of({ build, platform: "linux/riscv64" })).toThrow(
      'service "s" build configuration does not support platform: linux/riscv64',
    );
  });

  test("docker's classic builder is refused what it lacks", () => {
    const refused = (build: Build) => () => {
      planImages(project({ a: { build } }), new Map(), { now, classicBuilder: true });
    };
    expect(refused({ context: "/c" })).not.toThrow();
    expect(refused({ context: "/c", platforms: ["linux/amd64"] })).not.toThrow();
    for (const [build, what] of [
      [{ platforms: ["linux/amd64", "linux/arm64"] }, "multi-arch build"],
      [{ privileged: true }, "privileged mode"],
      [{ additional_contexts: { x: "/y" } }, "additional contexts"],
      [{ ssh: ["default"] }, "SSH keys"],
      [{ secrets: [{ source: "x" }] }, "secrets"],
    ] as const)
      expect(refused({ context: "/c", ...build })).toThrow(
        `the classic builder doesn't support ${what}, set DOCKER_BUILDKIT=1 to use BuildKit`,
      );
  });

  test("for the classic builder what a service depends on is built before it", () => {
    const services = {
      a: { build: { context: "/a" }, depends_on: { c: { condition: "service_started", required: true } } },
      b: { build: { context: "/b" } },
      c: { image: "x", depends_on: { b: { condition: "service_started", required: true } } },
    } as const;
    const order = (classicBuilder: boolean) =>
      formatPlan(planImages(project(services), new Map([["x", image("x")]]), { now, classicBuilder }));
    expect(order(false)).not.toContain("after");
    expect(order(true)).toMatch(/#1 build .* of b: .*\n#2 build .* of a: .*\(after #1\)/);
  });

  test("pull skips with a reason", () => {
    const wanted = project({
      a: { image: "x:1", pull_policy: "missing" },
      b: { image: "y", pull_policy: "missing" },
      c: { build: { context: "/c" } },
    });
    const stored = new Map([
      ["x:1", image("x:1")],
      ["y", image("y")],
    ]);
    const plan = planPull(wanted, stored, {
      ignoreBuildable: false,
      ignoreFailures: false,
      quiet: false,
      separator: "-",
    });
    expect(plan.operations.map((o) => (o.kind === "skip-image" ? o.text : o.kind))).toEqual([
      "Image is already present locally",
      "pull-image",
      "No image to be pulled",
    ]);
  });
});
