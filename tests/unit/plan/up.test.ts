import { describe, expect, test } from "@jest/globals";
import type { Project, Service } from "../../../src/compose/model.js";
import { LABEL } from "../../../src/plan/labels.js";
import { formatPlan, isEmpty } from "../../../src/plan/plan.js";
import type { UpOptions } from "../../../src/plan/reconcile/context.js";
import { planUp } from "../../../src/plan/up.js";
import { container, declinePrompt, image, noPrompt, observed, project, yesPrompt } from "./fixtures.js";

const nothing = () => ({ ...observed(undefined), images: new Map([["web", image("web")]]) });
async function story(
  wanted: Project,
  now: ReturnType<typeof observed>,
  options: Partial<UpOptions> = {},
): Promise<string> {
  return `\n${formatPlan(await planUp(wanted, now, { confirm: noPrompt, ...options }))}`;
}

const started = { condition: "service_started", required: true } as const;
const stack = project({
  db: { healthcheck: { test: ["CMD", "true"] } },
  web: { depends_on: { db: { condition: "service_healthy", required: true } } },
});

describe("up from nothing", () => {
  test("nothing is stopped for a replacement and nothing starts before all that is to be made is made", async () => {
    const before = project({ a: {}, b: {} });
    const wanted = project({ a: { user: "1" }, b: { user: "1" }, c: {} });
    const text = await story(wanted, observed(before, [container(before, "a", 1), container(before, "b", 1)]));
    const created = [...text.matchAll(/^#(\d+) create container/gm)].map(([, id]) => `#${id}`);
    expect(created).toHaveLength(3);
    for (const line of text.split("\n").filter((one) => /^#\d+ (stop|start) container [ac]-1/.test(one))) {
      if (line.includes("takes the name")) continue;
      if (/ stop /.test(line) || / c-1/.test(line)) expect(line).toContain(`after ${created.join(" ")}`);
    }
  });

  test("creates everything at once and starts in the order of the dependencies", async () => {
    expect(await story(stack, nothing())).toBe(`
#1 create network default: does not exist
#2 create container db-1: does not exist (after #1)
#3 create container web-1: does not exist (after #1)
#4 start container db-1: just created (after #2 #3)
#5 wait for healthy service db: web depends on it (after #4)
#6 start container web-1: just created (after #3 #4 #5)
`);
  });

  test("an optional dependency is waited for but may fail", async () => {
    const wanted = project({
      db: {},
      web: { depends_on: { db: { condition: "service_healthy", required: false } } },
    });
    expect(await story(wanted, nothing())).toContain("#6 start container web-1: just created (after #2 #3 #4? #5?)");
  });

  test("a dependency with scale 0 is not waited for", async () => {
    const wanted = project({
      db: { scale: 0 },
      web: { depends_on: { db: { condition: "service_healthy", required: true } } },
    });
    expect(await story(wanted, nothing())).toBe(`
#1 create network default: does not exist
#2 create container web-1: does not exist (after #1)
#3 start container web-1: just created (after #2)
`);
  });

  test("--no-start creates only", async () => {
    expect(await story(project({ web: {} }), nothing(), { start: false })).toBe(`
#1 create network default: does not exist
#2 create container web-1: does not exist (after #1)
`);
  });

  test("--wait ends with the health of all; what others wait to complete may exit", async () => {
    const wanted = project({
      init: {},
      web: { depends_on: { init: { condition: "service_completed_successfully", required: true } } },
    });
    expect(await story(wanted, nothing(), { wait: true })).toBe(`
#1 create network default: does not exist
#2 create container init-1: does not exist (after #1)
#3 create container web-1: does not exist (after #1)
#4 start container init-1: just created (after #2 #3)
#5 wait for completed successfully service init: web depends on it (after #4)
#6 start container web-1: just created (after #3 #4 #5)
#7 wait for running or healthy service web: --wait (after #6)
`);
  });

  test("a shared namespace is an order of creation too", async () => {
    const wanted = project({ db: {}, side: { network_mode: "service:db" } });
    expect(await story(wanted, nothing())).toBe(`
#1 create network default: does not exist
#2 create container db-1: does not exist (after #1)
#3 create container side-1: does not exist (after #2)
#4 start container db-1: just created (after #2 #3)
#5 start container side-1: just created (after #3 #4)
`);
  });
});

describe("up again", () => {
  const running = () => [
    container(stack, "db", 1, { health: "healthy", hasHealthcheck: true }),
    container(stack, "web", 1),
  ];

  test("changes nothing and says so", async () => {
    const plan = await planUp(stack, observed(stack, running()), { confirm: noPrompt });
    expect(isEmpty(plan)).toBe(true);
    expect(formatPlan(plan)).toBe(
      "#1 keep container db-1: up to date and running\n#2 keep container web-1: up to date and running\n",
    );
  });

  test("starts what has exited without making it anew", async () => {
    const now = observed(stack, [
      running()[0] ?? container(stack, "db", 1),
      container(stack, "web", 1, { state: "exited" }),
    ]);
    expect(await story(stack, now)).toBe(`
#1 keep container db-1: up to date and running
#2 start container web-1: is exited
`);
  });

  test("a changed variable recreates its service and names the variable", async () => {
    const wanted = project({ ...stack.services, web: { ...stack.services.web, environment: { PORT: "81" } } });
    expect(await story(wanted, observed(stack, running()))).toBe(`
#1 create container web-1: config changed: environment.PORT
#2 stop container web-1: is replaced (after #1)
#3 remove container web-1: is replaced (after #1 #2)
#4 rename container web-1: takes the name of the replaced one (after #3)
#5 keep container db-1: up to date and running
#6 start container web-1: just recreated (after #4)
`);
  });

  test("what does not make a container differ does not recreate it", async () => {
    const wanted = project({
      ...stack.services,
      db: { ...stack.services.db, depends_on: {}, profiles: [], pull_policy: "always", scale: 1 },
    });
    expect(isEmpty(await planUp(wanted, observed(stack, running()), { confirm: noPrompt }))).toBe(true);
  });

  test("a newer image recreates, --no-recreate does not", async () => {
    const now = observed(stack, running());
    const newer = { ...now, images: new Map([...now.images, ["web", image("web", "sha256:new")]]) };
    expect(await story(stack, newer)).toContain("create container web-1: image changed");
    expect(await story(stack, newer, { recreate: "never" })).not.toContain("create");
  });

  test("--force-recreate is for the targets only", async () => {
    const text = await story(stack, observed(stack, running()), { targets: ["web"], recreate: "force" });
    expect(text).toContain("create container web-1: forced");
    expect(text).toContain("keep container db-1");
  });

  test("restart: true takes the dependent down before its dependency and up after it", async () => {
    const before = project({ db: {}, web: { depends_on: { db: { ...started, restart: true } } } });
    const wanted = project({ ...before.services, db: { ...before.services.db, user: "1" } });
    const now = observed(before, [container(before, "db", 1), container(before, "web", 1)]);
    expect(await story(wanted, now)).toBe(`
#1 create container db-1: config changed: user
#2 stop container web-1: depends on db, which is replaced (after #1)
#3 stop container db-1: is replaced (after #1 #2)
#4 remove container db-1: is replaced (after #1 #3)
#5 rename container db-1: takes the name of the replaced one (after #4)
#6 start container db-1: just recreated (after #5)
#7 start container web-1: depends on db, which is replaced (after #2 #6)
`);
  });

  test("who shares the namespace of a replaced container is replaced too, whichever namespace", async () => {
    const shares: readonly Partial<Service>[] = [
      { network_mode: "service:db" },
      { pid: "service:db" },
      { ipc: "service:db" },
      { uts: "service:db" },
    ];
    for (const share of shares) {
      const before = project({ db: {}, side: share });
      const wanted = project({ ...before.services, db: { ...before.services.db, user: "1" } });
      const now = observed(before, [container(before, "db", 1), container(before, "side", 1)]);
      expect(await story(wanted, now)).toContain(
        "create container side-1: shares namespace with db, which is recreated (after #1)",
      );
      // its donor went while nobody looked
      expect(await story(before, observed(before, [container(before, "side", 1)]))).toContain(
        "create container side-1: shares namespace with db, which is recreated (after #1)",
      );
      const other = container(before, "side", 1);
      const mode = { kind: "container", container: "gone" } as const;
      const [key = ""] = Object.keys(share);
      const spec = { ...other.spec, [key === "network_mode" ? "networkMode" : key]: mode };
      const left = observed(before, [container(before, "db", 1), { ...other, spec }]);
      expect(await story(before, left)).toContain("shares a namespace with a container that is gone");
    }
  });
});

describe("networks and volumes", () => {
  test("a changed network is replaced around its containers, which stay", async () => {
    const before = project({ web: {} });
    const wanted = {
      ...before,
      networks: { default: { name: "p_default", ipam: { config: [{ subnet: "10.9.0.0/24" }] } } },
    };
    expect(await story(wanted, observed(before, [container(before, "web", 1)]))).toBe(`
#1 stop container web-1: network p_default is recreated
#2 disconnect network p_default from container web-1: network p_default is recreated (after #1)
#3 remove network default: config changed (after #2)
#4 create network default: config changed (after #3)
#5 connect network p_default to container web-1: network was recreated (after #4)
#6 start container web-1: network p_default is recreated (after #5)
`);
  });

  test("labels that another docker compose wrote are honoured: an equal hash is up to date, a missing one tells nothing", async () => {
    const wanted = project({ web: {} }, { volumes: { data: { name: "p_data" } } });
    const web = container(wanted, "web", 1);
    const theirs = { ...web.labels, [LABEL.version]: "5.0.1", [LABEL.workingDir]: "/elsewhere", [LABEL.dependsOn]: "" };
    const now = observed(wanted, [{ ...web, labels: theirs }]);
    const unhashed = <T extends { readonly labels: Readonly<Record<string, string>> }>(
      all: ReadonlyMap<string, T>,
    ): ReadonlyMap<string, T> =>
      new Map([...all].map(([name, one]) => [name, { ...one, labels: { [LABEL.project]: "p" } }]));
    const plan = await story(wanted, now);
    expect(plan).not.toMatch(/create|remove|connect/);
    expect(await story(wanted, { ...now, networks: unhashed(now.networks), volumes: unhashed(now.volumes) })).toBe(
      plan,
    );
  });

  const withVolume = (label: string) =>
    project(
      { db: { volumes: [{ type: "volume", source: "data", target: "/data" }] } },
      { volumes: { data: { name: "p_data", labels: { l: label } } } },
    );

  test("dependents go down first, whether they stay or are replaced", async () => {
    const before = project({ db: {}, web: { depends_on: { db: started } } });
    const networks = { default: { ...before.networks["default"], internal: true, ipam: {} } };
    const wanted = { ...project({ ...before.services, db: { ...before.services.db, user: "1" } }), networks };
    const now = observed(before, [container(before, "db", 1), container(before, "web", 1)]);
    expect(await story(wanted, now)).toBe(`
#1 stop container web-1: network p_default is recreated
#2 disconnect network p_default from container web-1: network p_default is recreated (after #1)
#3 stop container db-1: config changed: user (after #1)
#4 remove container db-1: config changed: user (after #3)
#5 remove network default: config changed (after #2 #4)
#6 create network default: config changed (after #5)
#7 connect network p_default to container web-1: network was recreated (after #6)
#8 create container db-1: config changed: user (after #4 #6)
#9 start container db-1: just recreated (after #8)
#10 start container web-1: network p_default is recreated (after #7 #9)
`);
    // where nothing is started, nobody is told that it runs
    expect(await story(wanted, now, { start: false })).not.toContain("keep");
  });

  test("a network waits for a container that an interrupted command left under another name", async () => {
    const before = project({ web: {} });
    const networks = { default: { ...before.networks["default"], internal: true, ipam: {} } };
    const left = { ...container(before, "web", 1), name: "0123456789ab_p-web-1" };
    expect(await story({ ...before, networks }, observed(before, [left]))).toBe(`
#1 stop container web-1: network p_default is recreated
#2 disconnect network p_default from container web-1: network p_default is recreated (after #1)
#3 remove network default: config changed (after #2)
#4 create network default: config changed (after #3)
#5 connect network p_default to container web-1: network was recreated (after #4)
#6 rename container web-1: an interrupted replacement is completed
#7 start container web-1: network p_default is recreated (after #5 #6)
`);
  });

  test("a changed volume is asked about, and kept when the answer is no", async () => {
    const now = observed(withVolume("a"), [container(withVolume("a"), "db", 1)]);
    const plan = await planUp(withVolume("b"), now, { confirm: declinePrompt });
    expect(isEmpty(plan)).toBe(true);
  });

  test("with yes its containers go before it and come back after it", async () => {
    const now = observed(withVolume("a"), [container(withVolume("a"), "db", 1)]);
    expect(await story(withVolume("b"), now, { confirm: yesPrompt })).toBe(`
#1 stop container db-1: volume p_data is recreated
#2 remove container db-1: volume p_data is recreated (after #1)
#3 remove volume data: config changed (after #2)
#4 create volume data: config changed (after #3)
#5 create container db-1: volume p_data is recreated (after #2 #4)
#6 start container db-1: just recreated (after #5)
`);
  });

  test("anonymous volumes are carried over unless renewed", async () => {
    const before = project({ db: { volumes: [{ type: "volume", target: "/data" }] } });
    const wanted = project({ db: { ...before.services.db, user: "1" } });
    const now = observed(before, [container(before, "db", 1)]);
    const source = async (options: Partial<UpOptions>) => {
      const { operations } = await planUp(wanted, now, { confirm: noPrompt, ...options });
      const create = operations.find(({ kind }) => kind === "create-container");
      return create?.kind === "create-container" ? create.spec.mounts?.[0] : undefined;
    };
    expect(await source({})).toMatchObject({ type: "volume", source: "anon-data", target: "/data" });
    expect(await source({ renewAnonymousVolumes: true })).toMatchObject({ source: "" });
  });

  test("a missing external network is refused by name", async () => {
    const wanted = project({ web: {} }, { networks: { default: { name: "foo_bar", external: true, ipam: {} } } });
    await expect(story(wanted, nothing())).rejects.toMatchObject({
      code: "TSC_NETWORK_NOT_FOUND",
      message: "network foo_bar declared as external, but could not be found",
    });
  });
});

describe("scale", () => {
  const web = project({ web: {} });
  const numbers = (...list: number[]) => list.map((number) => container(web, "web", number));

  test("up: numbers go on after the highest", async () => {
    expect(await story(web, observed(web, numbers(1)), { scale: new Map([["web", 3]]) })).toContain(
      "#1 create container web-2: scale is 3\n#2 create container web-3: scale is 3\n",
    );
  });

  test("down: the highest numbers go", async () => {
    const text = await story(web, observed(web, numbers(1, 2, 3)), { scale: new Map([["web", 1]]) });
    expect(text).toContain("remove container web-2: scale is 1");
    expect(text).toContain("remove container web-3: scale is 1");
    expect(text).toContain("keep container web-1");
  });

  test("down: what is out of date goes first", async () => {
    const now = observed(web, numbers(1, 2, 3, 4));
    const containers = now.containers.map((c) =>
      c.number > 2 ? c : { ...c, info: { ...c.info, labels: { ...c.info.labels, "com.docker.compose.image": "old" } } },
    );
    const text = await story(web, { ...now, containers }, { scale: new Map([["web", 2]]) });
    expect(text).toContain("remove container web-1");
    expect(text).toContain("remove container web-2");
    expect(text).toContain("keep container web-3");
  });

  test("container_name allows one", async () => {
    const wanted = project({ web: { container_name: "x", scale: 2 } });
    await expect(story(wanted, nothing())).rejects.toMatchObject({ code: "TSC_SCALE_CONTAINER_NAME" });
  });

  test("each replica gets its own port of a range", async () => {
    const wanted = project({ web: { scale: 2, ports: [{ target: 80, published: "8000-8002", protocol: "tcp" }] } });
    const plan = await planUp(wanted, nothing(), { confirm: noPrompt });
    const ports = plan.operations.flatMap((o) => (o.kind === "create-container" ? (o.spec.ports ?? []) : []));
    expect(ports.map(({ hostPort }) => hostPort)).toEqual([8000, 8001]);
  });
});

describe("orphans and conflicts", () => {
  const before = project({ web: {}, old: {} });
  const wanted = project({ web: {} });
  const now = () => observed(before, [container(before, "web", 1), container(before, "old", 1)]);

  test("are told", async () => {
    const plan = await planUp(wanted, now(), { confirm: noPrompt });
    expect(plan.warnings).toEqual([expect.stringContaining("Found orphan containers ([p-old-1]) for this project.")]);
    expect((await planUp(wanted, now(), { confirm: noPrompt, ignoreOrphans: true })).warnings).toEqual([]);
  });

  test("are removed when asked", async () => {
    expect(await story(wanted, now(), { removeOrphans: true })).toBe(`
#1 stop container p-old-1: orphan
#2 remove container p-old-1: orphan (after #1)
#3 keep container web-1: up to date and running
`);
  });

  test("one container_name for two services is refused", async () => {
    const both = project({ a: { container_name: "x" }, b: { container_name: "x" } });
    await expect(story(both, nothing())).rejects.toThrow('container name "x" is already in use');
  });

  test("a replacement left by an interrupted command gets its name", async () => {
    const left = container(wanted, "web", 1, { name: "web100000000_p-web-1", state: "created" });
    expect(await story(wanted, observed(wanted, [left]))).toBe(`
#1 rename container web-1: an interrupted replacement is completed
#2 start container web-1: was never started (after #1)
`);
  });
});

describe("hooks", () => {
  const hooked = project({ web: { pre_start: [{ command: ["a"] }, { command: ["b"] }] } });

  test("pre_start runs in order before the first start, once for all replicas", async () => {
    expect(await story(hooked, nothing(), { scale: new Map([["web", 2]]) })).toBe(`
#1 create network default: does not exist
#2 create container web-1: does not exist (after #1)
#3 create container web-2: does not exist (after #1)
#4 run pre_start[0] of web-1: prepares the start (after #2 #3)
#5 run pre_start[1] of web-1: prepares the start (after #2 #4)
#6 start container web-1: just created (after #2 #5)
#7 start container web-2: just created (after #3 #5)
`);
  });

  test("pre_start does not run for a further replica or a second up", async () => {
    const now = observed(hooked, [container(hooked, "web", 1)]);
    expect(await story(hooked, now, { scale: new Map([["web", 2]]) })).not.toContain("pre_start");
  });
});
