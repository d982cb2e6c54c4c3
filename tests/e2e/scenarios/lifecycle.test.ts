/** Stop, start, restart, rm, pause, scale, orphans, wait. */
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario(
  "TestRestart",
  "restart runs the same container again",
  async (s) => {
    await s.ok("up", "-d");
    await s.state("app", "exited");
    const before = await s.ids("app");
    await s.ok("restart");
    await s.state("app", "running");
    if ((await s.ids("app")).join() !== before.join()) throw new Error("recreated");
  },
  { modes: ["user", "root"] },
);

scenario("TestRm", "rm --stop --force of one service, then of all", async (s) => {
  await s.ok("up", "-d");
  await s.ok("rm", "--stop", "--force", "simple");
  await s.absent("simple");
  await s.state("another", "running");
  await s.ok("up", "-d");
  await s.state("simple", "running");
  await s.ok("rm", "--stop", "--force");
  await s.absent("simple");
  await s.absent("another");
});

scenario("TestRemoveOrphaned", "down of one service leaves the others", async (s) => {
  await s.ok("up", "-d");
  await s.ok("down", "--remove-orphans", "web", "-t", "0");
  await s.absent("web");
  await s.state("words", "running");
  await s.state("db", "running");
});

scenario(
  "TestStartStop",
  "ls shows running projects, --all stopped ones; start brings the same containers back",
  async (s) => {
    await s.ok("up", "-d");
    const before = [...(await s.ids("simple")), ...(await s.ids("another"))];
    await s.ok("ls", "--format", "json");
    s.says(`"Name":"${s.project}"`, "running(2)");
    await s.ok("stop", "-t", "1");
    await s.ok("ls", "--format", "json");
    s.saysNot(s.project);
    await s.ok("ls", "--all", "--format", "json");
    s.says("exited(2)");
    await s.ok("start");
    await s.state("simple", "running");
    if ([...(await s.ids("simple")), ...(await s.ids("another"))].join() !== before.join())
      throw new Error("other containers");
  },
  { modes: ["user", "root"] },
);

scenario("TestStartStopWithDependencies", "start of a service starts its dependency", async (s) => {
  await s.ok("up", "-d");
  await s.ok("stop", "-t", "1", "foo");
  await s.state("bar", "running");
  await s.ok("stop", "-t", "1");
  await s.state("bar", "exited");
  await s.ok("start", "foo");
  await s.state("foo", "running");
  await s.state("bar", "running");
});

scenario("TestStartStopWithOneOffs", "one-offs are left alone until down --remove-orphans", async (s) => {
  await s.ok("up", "-d");
  await s.ok("run", "-d", "bar", "sleep", "infinity");
  const running = async () => (await s.oneOffs("bar")).filter((row) => row.State === "running").length;
  for (const verb of ["stop", "start", "restart"]) {
    await s.ok(verb, ...(verb === "start" ? [] : ["-t", "1"]));
    if ((await running()) !== 1) throw new Error(`${verb} touched the one-off`);
  }
  await s.ok("down", "--remove-orphans", "-t", "0");
  if ((await s.rows()).length > 0) throw new Error("left over");
});

scenario("TestStartSingleServiceAndDependency", "create and start of one service take its chain", async (s) => {
  await s.ok("create", "desired");
  for (const service of ["desired", "dep_1", "dep_2"]) await s.state(service, "created");
  await s.absent("another");
  await s.ok("start", "desired");
  for (const service of ["desired", "dep_1", "dep_2"]) await s.state(service, "running");
});

scenario(
  "TestPause",
  "pause and unpause one service",
  async (s) => {
    await s.ok("up", "-d");
    const before = await s.ids("a");
    await s.ok("pause", "a");
    await s.state("a", "paused");
    await s.state("b", "running");
    await s.ok("unpause", "a");
    await s.state("a", "running");
    if ((await s.ids("a")).join() !== before.join()) throw new Error("recreated");
  },
  { modes: ["root"] },
);

scenario("TestPauseServiceNotRunning", "nothing to pause is no error", async (s) => {
  await s.exits(0, ["pause", "a"]);
});
scenario(
  "TestPauseServiceAlreadyPaused",
  "pausing twice is refused",
  async (s) => {
    await s.ok("up", "-d");
    await s.ok("pause", "a");
    await s.exits(1, ["pause", "a"], "already paused");
  },
  { modes: ["root"] },
);
scenario("TestPauseServiceDoesNotExist", "an unknown service is named", async (s) => {
  await s.exits(1, ["pause", "does_not_exist"], "no such service: does_not_exist");
});

scenario(
  "TestScaleBasicCases",
  "scale up, two at once, down, to zero",
  async (s) => {
    const counts = async (...wanted: number[]) => {
      for (const [i, service] of ["back", "db", "front", "dbadmin"].entries()) await s.scale(service, wanted[i] ?? 0);
    };
    await s.ok("up", "-d");
    await counts(1, 1, 2, 0);
    await s.ok("scale", "dbadmin=2");
    await counts(1, 1, 2, 2);
    await s.ok("scale", "front=3", "back=2");
    await counts(2, 1, 3, 2);
    await s.ok("scale", "front=1");
    await counts(2, 1, 1, 2);
    await s.numbers("front", 1);
    await s.ok("scale", "dbadmin=0");
    await counts(2, 1, 1, 0);
  },
  { timeoutMs: 150_000 },
);

scenario(
  "TestScaleWithDepsCases",
  "--no-deps leaves the dependency's count, without it the model's comes back",
  async (s) => {
    await s.ok("up", "-d", "--scale", "db=2");
    await s.scale("db", 2);
    await s.ok("scale", "--no-deps", "back=2");
    await s.scale("back", 2);
    await s.scale("db", 2);
    await s.ok("scale", "back=2");
    await s.scale("db", 1);
  },
);

scenario("TestScaleUpAndDownPreserveContainerNumber", "survivors keep their numbers", async (s) => {
  await s.ok("up", "-d", "--scale", "db=2", "db");
  await s.numbers("db", 1, 2);
  await s.ok("up", "-d", "--scale", "db=1", "db");
  await s.numbers("db", 1);
  await s.ok("up", "-d", "--scale", "db=2", "db");
  await s.numbers("db", 1, 2);
});

scenario("TestScaleDownRemovesObsolete", "the stale replica goes first", async (s) => {
  await s.ok("up", "-d", "db");
  await s.numbers("db", 1);
  s.env["MAYBE"] = "value";
  await s.ok("up", "-d", "--scale", "db=2", "db");
  await s.numbers("db", 1, 2);
  await s.ok("up", "-d", "--scale", "db=1", "db");
  await s.numbers("db", 1);
});

scenario(
  "TestScaleDownNoRecreate",
  "--no-recreate keeps stale replicas, scaling down removes them first",
  async (s) => {
    await s.ok("build", "--build-arg", "FOO=test");
    await s.ok("up", "-d", "--scale", "test=2");
    await s.ok("build", "--build-arg", "FOO=updated");
    await s.ok("up", "-d", "--scale", "test=4", "--no-recreate");
    await s.numbers("test", 1, 2, 3, 4);
    await s.ok("up", "-d", "-t", "0", "--scale", "test=2");
    await s.numbers("test", 3, 4);
  },
  { timeoutMs: 150_000 },
);

scenario("TestScaleDoesntRecreate", "scaling up recreates nothing", async (s) => {
  await s.ok("up", "-d");
  const [first] = await s.ids("simple");
  await s.ok("up", "--scale", "simple=2", "-d");
  await s.numbers("simple", 1, 2);
  if (!(await s.ids("simple")).includes(first ?? "")) throw new Error("recreated");
});

scenario("TestRemoveOrphans", "COMPOSE_REMOVE_ORPHANS removes exited one-offs", async (s) => {
  await s.ok("run", "orphan");
  await s.ok("up", "-d");
  await s.state("test", "running");
  if ((await s.oneOffs("orphan")).length > 0) throw new Error("orphan left");
});

scenario("TestWaitOnFaster", "wait returns with the faster service", async (s) => {
  await s.ok("up", "-d");
  await s.exits(0, ["wait", "faster"]);
  await s.state("infinity", "running");
});
scenario("TestWaitOnSlower", "wait returns only when the slower one exits", async (s) => {
  await s.ok("up", "-d");
  await s.exits(0, ["wait", "slower"]);
  await s.state("slower", "exited");
});
scenario("TestWaitAndDrop", "wait --down-project removes everything afterwards", async (s) => {
  await s.ok("up", "-d");
  await s.exits(0, ["wait", "--down-project", "faster"]);
  if ((await s.rows()).length > 0) throw new Error("left over");
});

for (const [name, flags, both] of [
  ["TestExplicitProfileUsage", ["--profile", "test-profile"], true],
  ["TestNoProfileUsage", [], false],
] as const) {
  scenario(name, `every command acts on ${both ? "both services" : "the regular service only"}`, async (s) => {
    await s.ok(...flags, "up", "-d");
    const expectState = async (state: string) => {
      await s.state("regular-service", state);
      if (both) await s.state("profiled-service", state);
      else await s.absent("profiled-service");
    };
    await expectState("running");
    const before = await s.ids("regular-service");
    await s.ok(...flags, "stop", "-t", "1");
    await expectState("exited");
    await s.ok(...flags, "start");
    await expectState("running");
    await s.ok(...flags, "restart", "-t", "1");
    await expectState("running");
    if ((await s.ids("regular-service")).join() !== before.join()) throw new Error("recreated");
    await s.ok(...flags, "down", "-t", "0");
    await s.absent("regular-service");
  });
}
scenario(
  "TestActiveProfileViaTargetedService",
  "naming a profiled service is enough",
  async (s) => {
    await s.ok("up", "-d", "profiled-service");
    await s.absent("regular-service");
    await s.ok("stop", "-t", "1", "profiled-service");
    await s.state("profiled-service", "exited");
    await s.ok("start", "profiled-service");
    await s.state("profiled-service", "running");
  },
  { fixture: "TestExplicitProfileUsage" },
);
scenario("TestDotEnvProfileUsage", "COMPOSE_PROFILES in .env", async (s) => {
  await s.ok("up", "-d");
  await s.state("regular-service", "running");
  await s.state("profiled-service", "running");
});
