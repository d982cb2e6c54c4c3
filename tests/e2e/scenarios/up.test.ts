/** Bringing projects up: waiting, exit codes, failures, resources. */
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario(
  "TestUpWait",
  "up --wait returns when the long service runs and the one-shot is done",
  async (s) => {
    await s.ok("up", "--wait", "-d");
    await s.state("longrunning", "running");
    await s.state("oneshot", "exited");
  },
  { modes: ["user", "root"] },
);

scenario(
  "TestUpWaitTimeout",
  "up --wait-timeout gives up and leaves the service running",
  async (s) => {
    await s.exits(1, ["up", "--wait", "--wait-timeout", "3", "-d"], "application not healthy after 3s");
    await s.state("app", "running");
  },
  { modes: ["user", "root"] },
);

scenario("TestUpExitCodeFrom", "--exit-code-from passes the service's code on", async (s) => {
  await s.exits(42, ["up", "--menu=false", "--exit-code-from=failure", "failure"]);
});

scenario("TestUpExitCodeFromContainerKilled", "--exit-code-from of a service that the abort stops", async (s) => {
  await s.exits(143, ["up", "--menu=false", "--exit-code-from=test"]);
});

scenario("TestPortRange", "each replica gets a host port of the range", async (s) => {
  await s.ok("up", "-d");
  await s.scale("a", 5);
  const ports = (await s.of("a")).map((row) => row.Publishers?.[0]?.PublishedPort);
  if (new Set(ports).size !== 5 || ports.some((port) => port === undefined || port < 6005 || port > 6015))
    throw new Error(`ports ${ports}`);
  await s.state("b", "running");
  await s.state("c", "running");
});

scenario("TestStdoutStderr", "streams of a container stay apart", async (s) => {
  await s.ok("up", "--menu=false");
  if (!s.last.stdout.includes("log to stdout") || s.last.stdout.includes("log to stderr"))
    throw new Error(s.last.stdout);
  if (!s.last.stderr.includes("log to stderr")) throw new Error(s.last.stderr);
});

scenario("TestInitContainer", "a completed dependency's output comes first", async (s) => {
  await s.ok("--ansi=never", "up", "--menu=false");
  s.says(/foo-1 .*hello[\s\S]*bar-1 .*world/);
});

scenario("TestStopWithDependenciesAttached", "up of one service returns when it exits", async (s) => {
  await s.ok("up", "--attach-dependencies", "--menu=false", "foo");
  s.says(/foo-1.* exited with code 0/);
});

scenario("TestUnnecessaryResources", "a missing external network fails only the services that use it", async (s) => {
  await s.exits(1, ["up", "-d"], "network foo_bar declared as external, but could not be found");
  await s.ok("up", "-d", "test");
});

scenario("TestUpContainerNameConflict", "two services cannot share a container name", async (s) => {
  s.env["FIXED_NAME"] = "fixed-name-of-test";
  await s.exits(1, ["up", "--menu=false"], 'container name "fixed-name-of-test" is already in use');
  await s.ok("-p", s.project, "down");
  await s.ok("up", "--menu=false", "test");
  await s.ok("-p", s.project, "down");
  await s.ok("up", "--menu=false", "another_test");
});

scenario(
  "TestUpServiceUnhealthy",
  "an unhealthy dependency fails up and the dependent stays created",
  async (s) => {
    await s.exits(1, ["up", "-d"], `container ${s.project}-fail-1 is unhealthy`);
    await s.state("depends", "created");
  },
  { modes: ["user", "root"] },
);

scenario("TestUpWithDependencyExit", "a dependency that exits before it is healthy", async (s) => {
  await s.exits(1, ["up", "-d"], `dependency failed to start: container ${s.project}-db-1 exited (1)`);
  await s.state("web", "created");
});

scenario("TestUpWithDependencyNotRequired", "an optional dependency that fails is a warning", async (s) => {
  await s.ok("--profile", "not-required", "up", "-d");
  s.says('optional dependency "bar" failed to start');
});

scenario("TestUpWithBuildDependencies", "an image built by one service is used by another", async (s) => {
  s.env["BUILT_IMAGE"] = "built-by-foo";
  await s.ok("up", "-d");
});

scenario("TestUpWithAllResources", "--all-resources makes what no service uses", async (s) => {
  await s.ok("--all-resources", "up");
  s.says(new RegExp(`${s.project}_my_vol"? +Created`), new RegExp(`${s.project}_my_net"? +Created`));
});

scenario("TestUpProfile", "naming a profiled service starts it and its dependency only", async (s) => {
  await s.ok("up", "--menu=false", "foo");
  s.says(/Container .*-db-1 +Created/);
  await s.absent("bar");
});

scenario("TestUpImageID", "an image given as a bare id", async (s) => {
  const inspect = JSON.parse((await s.ok("image", "pull", "alpine")).stdout.trim() === "" ? "null" : "null");
  void inspect;
  const listed = await s.ok("image", "ls", "-q", "--no-trunc");
  s.env["ID"] = listed.stdout.trim().replace(/^sha256:/, "");
  await s.ok("up", "--menu=false");
});

scenario("TestUpNoDeps", "--no-deps leaves links alone", async (s) => {
  await s.ok("up", "--no-deps", "-d", "foo");
  await s.absent("bar");
});

scenario("TestUpStopWithLogsMixed", "stop hooks still print while the project stops", async (s) => {
  await s.ok("up", "--menu=false", "--abort-on-container-exit");
  s.says("stop hook running...", "service2-1");
});

scenario("TestUpDryRunMissingImage", "--dry-run does not need the image", async (s) => {
  await s.ok("--dry-run", "up", "-d");
  s.saysNot("No such image");
  await s.absent("app");
});

scenario("TestUpIdempotentContainerdStore", "a second up changes nothing", async (s) => {
  await s.ok("up", "-d");
  const before = await s.ids("app");
  await s.ok("up", "-d");
  if ((await s.ids("app")).join() !== before.join()) throw new Error("recreated");
});

scenario("TestCascadeStop", "--abort-on-container-exit stops everything at the first exit", async (s) => {
  await s.exits(0, ["up", "--menu=false", "--abort-on-container-exit"], /exit-1.* exited with code 0/);
  await s.state("running", "exited");
});

scenario(
  "TestCascadeFail",
  "--abort-on-container-failure tolerates a clean exit and returns the failing code",
  async (s) => {
    await s.exits(
      111,
      ["up", "--menu=false", "--abort-on-container-failure"],
      /exit-1.* exited with code 0/,
      /fail-1.* exited with code 111/,
    );
  },
);

scenario(
  "TestStartInterval",
  "start_interval needs start_period, and speeds the first probes up",
  async (s) => {
    await s.exits(
      1,
      ["up", "--wait", "-d", "error"],
      "healthcheck.start_interval requires healthcheck.start_period to be set",
    );
    await s.ok("up", "--wait", "-d", "test");
    await s.state("test", "running");
  },
  { timeoutMs: 60_000 },
);

scenario("TestExposeRange", "a port range in expose", async (s) => {
  await s.ok("up", "--menu=false");
});

scenario("TestRecreateWithNoDeps", "--force-recreate --no-deps replaces only the target", async (s) => {
  await s.ok("up", "-d", "--wait");
  const [service, dep] = [await s.ids("my-service"), await s.ids("dep")];
  await s.ok("up", "-d", "--force-recreate", "--no-deps", "my-service");
  if ((await s.ids("my-service")).join() === service.join()) throw new Error("not replaced");
  if ((await s.ids("dep")).join() !== dep.join()) throw new Error("dependency replaced");
});

scenario("TestCompatibility", "--compatibility joins names with underscores", async (s) => {
  await s.ok("--compatibility", "up", "-d");
  if ((await s.rows())[0]?.Name !== `${s.project}_simple_1`) throw new Error("name");
});
