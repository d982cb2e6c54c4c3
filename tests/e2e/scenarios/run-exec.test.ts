/** run, exec, cp, commit, export, env precedence. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario(
  "TestComposeRun",
  "one-offs: command, override, orphans, --rm, volumes, env files",
  async (s) => {
    await s.ok("run", "back");
    s.says("Hello there!!");
    await s.state("db", "running");
    await s.absent("front");
    await s.ok("run", "back", "echo", "Hello one more time");
    s.says("Hello one more time", "orphan");
    s.env["COMPOSE_IGNORE_ORPHANS"] = "True";
    await s.ok("run", "back", "echo", "Hello one more time");
    s.saysNot("orphan");
    const before = (await s.oneOffs("back")).length;
    await s.ok("run", "--rm", "back", "echo", "gone");
    if ((await s.oneOffs("back")).length !== before) throw new Error("--rm left or took a container");
    await s.ok("run", "--rm", "--volumes", `${s.folder}:/foo`, "back", "ls", "/foo");
    s.says("compose.yaml");
    await s.ok("run", "--rm", "--env-from-file", "run.env", "back", "env");
    s.says("FOO=BAR");
    await s.ok("run", "--rm", "--env", "FOO=BAZ", "back", "env");
    s.says("FOO=BAZ");
  },
  { modes: ["user", "root"] },
);

scenario("TestComposeRunPorts", "--publish replaces, --service-ports takes the model's ports", async (s) => {
  await s.ok("run", "--publish", "8081:80", "-d", "back", "sleep", "100");
  await s.ok("run", "--service-ports", "-d", "back", "sleep", "100");
  const ports = (await s.oneOffs("back"))
    .flatMap((row) => row.Publishers?.map((p) => p.PublishedPort) ?? [])
    .filter((port) => port > 0)
    .sort();
  if (new Set(ports).size !== 2 || !ports.includes(8081) || !ports.includes(8082)) throw new Error(`ports ${ports}`);
});

scenario("TestComposeRunDeps", "dependencies start, siblings do not, --no-deps starts nothing", async (s) => {
  await s.ok("run", "service_a");
  s.says(/shared_dep-1/);
  s.saysNot("service_b-1");
  await s.ok("run", "--no-deps", "service_a");
  s.saysNot("shared_dep-1");
});

scenario("TestComposeRunNotRequiredDeps", "an inactive optional dependency is never made", async (s) => {
  await s.ok("run", "foo");
  s.says("foo");
  await s.absent("bar");
});

scenario("TestComposeRunQuietPull", "--quiet-pull says Pulled, quiet progress says nothing", async (s) => {
  await s.ok("run", "--quiet-pull", "backend");
  s.says("Pulled");
  await s.ok("down", "--rmi", "all");
  s.env["COMPOSE_PROGRESS"] = "quiet";
  await s.ok("run", "backend");
  s.saysNot("Pulled");
});

scenario("TestComposeRunPullAlways", "--pull always pulls every time", async (s) => {
  await s.ok("run", "--pull", "always", "backend");
  s.says("Pulled");
  await s.ok("run", "--pull", "always", "backend");
  s.says("Pulled");
});

scenario("TestComposeRunBuild", "run builds a chain of images in order", async (s) => {
  const { stdout } = await s.ok("run", "build", "echo", "hello world");
  expect(stdout).toBe("hello world\n");
  const again = await s.ok("run", "--build", "build", "echo", "hello world");
  expect(again.stdout).toMatch(/^#\d+ naming to \S+ done\n[\s\S]*^hello world\n$/m);
});

scenario(
  "TestLocalComposeExec",
  "exit codes pass through, -e NAME only when the caller has it",
  async (s) => {
    await s.ok("up", "-d");
    await s.exits(0, ["exec", "-T", "simple", "/bin/true"]);
    await s.exits(1, ["exec", "-T", "simple", "/bin/false"]);
    s.env["FOO"] = "BAR";
    await s.ok("exec", "-T", "-e", "FOO", "simple", "/bin/env");
    s.says("FOO=BAR");
    delete s.env["FOO"];
    await s.ok("exec", "-T", "-e", "FOO", "simple", "/bin/env");
    s.saysNot("FOO=");
  },
  { modes: ["user", "root"] },
);

scenario("TestLocalComposeExecOneOff", "exec enters a one-off, --index does not", async (s) => {
  await s.ok("run", "-d", "simple", "top");
  await s.ok("exec", "-T", "simple", "true");
  // the tests' standard input is a pipe
  const refusal = "cannot attach stdin to a TTY-enabled container because stdin is not a terminal";
  await s.exits(1, ["exec", "--no-tty=false", "simple", "true"], refusal);
  await s.exits(1, ["run", "--rm", "--tty", "simple", "true"], refusal);
  await s.exits(1, ["run", "--rm", "--no-tty=false", "simple", "true"], refusal);
  await s.exits(1, ["run", "--rm", "-t", "-T", "simple", "true"], "--tty and --no-tty can't be used together");
  expect(await s.oneOffs("simple")).toHaveLength(1);
  // a detached one keeps its input open: cat waits instead of reading an end
  await s.ok("run", "-d", "--name", "waits", "simple", "cat");
  await s.ok("exec", "-T", "--index", "0", "simple", "true");
  expect((await s.oneOffs("simple")).find(({ Name }) => Name === "waits")?.State).toBe("running");
  await s.exits(1, ["exec", "-T", "--index", "1", "simple", "true"], 'service "simple" is not running container #1');
});

scenario("TestExec", "the service container is preferred over one-offs", async (s) => {
  await s.ok("run", "-d", "test", "tail", "-f", "/dev/null");
  await s.exits(1, ["exec", "-T", "--index=1", "test", "true"], 'service "test" is not running container #1');
  await s.ok("exec", "-T", "test", "true");
  await s.ok("up", "-d");
  await s.ok("exec", "-T", "test", "hostname");
  const [row] = await s.of("test");
  s.says(row?.ID.slice(0, 12) ?? "no container");
});

scenario("TestCommit", "commit makes an image", async (s) => {
  await s.ok("up", "-d", "service");
  await s.ok(
    "commit",
    "-a",
    "John Hannibal Smith <hannibal@a-team.com>",
    "-c",
    "ENV DEBUG=true",
    "-m",
    "sample commit",
    "service",
    "committed:latest",
  );
  await s.imageExists("committed:latest");
});
scenario("TestCommitWithReplicas", "commit --index takes that replica", async (s) => {
  await s.ok("up", "-d", "service-with-replicas");
  for (const index of [1, 2]) {
    await s.ok("commit", "--index", String(index), "service-with-replicas", `committed:${index}`);
    await s.imageExists(`committed:${index}`);
  }
});
scenario("TestExport", "export writes a tar", async (s) => {
  await s.ok("up", "-d", "service");
  await s.ok("export", "-o", "service.tar", "service");
  if (statSync(join(s.folder, "service.tar")).size < 10_000) throw new Error("empty tar");
});
scenario("TestExportWithReplicas", "export --index writes one per replica", async (s) => {
  await s.ok("up", "-d", "service-with-replicas");
  for (const index of [1, 2]) {
    await s.ok("export", "-o", `r${index}.tar`, "--index", String(index), "service-with-replicas");
    if (statSync(join(s.folder, `r${index}.tar`)).size < 10_000) throw new Error("empty tar");
  }
});

scenario(
  "TestCopy",
  "cp to and from services, replicas and folders",
  async (s) => {
    await s.ok("up", "--scale", "nginx=5", "-d");
    await s.ok("cp", "./cp-me.txt", "nginx:/tmp/default.txt");
    for (const index of [1, 5]) {
      await s.ok("exec", "-T", "--index", String(index), "nginx", "cat", "/tmp/default.txt");
      s.says("hello world");
    }
    await s.ok("cp", "--index=3", "cp-me.txt", "nginx:/tmp/indexed.txt");
    await s.ok("exec", "-T", "--index=3", "nginx", "cat", "/tmp/indexed.txt");
    await s.exits(1, ["exec", "-T", "--index=2", "nginx", "cat", "/tmp/indexed.txt"]);
    await s.ok("cp", "nginx:/tmp/default.txt", "./from-default.txt");
    if (!readFileSync(join(s.folder, "from-default.txt"), "utf8").includes("hello world")) throw new Error("content");
    await s.ok("cp", "--index=3", "nginx:/tmp/indexed.txt", "./from-indexed.txt");
    await s.ok("cp", "./cp-folder", "nginx:/tmp/");
    await s.ok("exec", "-T", "nginx", "cat", "/tmp/cp-folder/cp-me.txt");
    s.says("hello world from folder");
    // a link is written through, and what is no file is never replaced by one (/dev/null as root)
    symlinkSync("through.txt", join(s.folder, "link.txt"));
    await s.ok("cp", "nginx:/tmp/default.txt", "./link.txt");
    if (!readFileSync(join(s.folder, "through.txt"), "utf8").includes("hello world")) throw new Error("link replaced");
    execFileSync("mkfifo", [join(s.folder, "pipe")]);
    const refused = "must be a directory or a regular file: got";
    await s.exits(1, ["cp", "nginx:/tmp/default.txt", "./pipe"], `pipe" ${refused} an irregular file`);
    await s.exits(1, ["cp", "nginx:/tmp/default.txt", "/dev/full"], `"/dev/full" ${refused} a device`);
    if (!statSync(join(s.folder, "pipe")).isFIFO() || !statSync("/dev/full").isCharacterDevice())
      throw new Error("gone");
    await s.ok("cp", "nginx:/tmp/cp-folder", "./cp-folder2");
    if (!readFileSync(join(s.folder, "cp-folder2/cp-me.txt"), "utf8").includes("from folder"))
      throw new Error("folder");
  },
  { timeoutMs: 120_000 },
);

scenario("TestEnvPriorityComposeEnvironment", "run -e NAME takes the shell's value over everything", async (s) => {
  s.env["WHEREAMI"] = "shell";
  await s.ok("--env-file", ".env.override", "run", "--rm", "-e", "WHEREAMI", "env-compose-priority");
  s.says("shell");
  await s.ok("run", "--rm", "-e", "WHEREAMI=shell", "env-compose-priority");
  s.says("shell");
});
scenario("TestEnvPriority", "explicit value, shell, chosen env file, .env, image", async (s) => {
  const print = async (flags: string[], env: string, wanted: string) => {
    await s.ok(...flags, "run", "--rm", "-e", env, "env-compose-priority");
    s.says(wanted);
  };
  await s.ok("build");
  s.env["WHEREAMI"] = "shell";
  await print(["--env-file", ".env.override"], "WHEREAMI", "shell");
  await print([], "WHEREAMI=explicit", "explicit");
  delete s.env["WHEREAMI"];
  await print(["--env-file", ".env.override"], "WHEREAMI", "override");
  await print(["--env-file", ".env.override.with.default"], "WHEREAMI", "EnvFileDefaultValue");
  await print([], "WHEREAMI", "Env File");
  s.env["COMPOSE_ENV_FILES"] = ".env.override";
  await print([], "WHEREAMI", "override");
  s.env["COMPOSE_ENV_FILES"] = ".env.empty";
  await s.ok("run", "--rm", "-e", "WHEREAMI", "env-compose-priority");
  s.says("Dockerfile");
});
scenario("TestEnvPriorityComposeEnvFile", "run -e NAME forwards .env's value", async (s) => {
  await s.ok("run", "--rm", "-e", "WHEREAMI", "env-compose-priority");
  s.says("Env File");
});
scenario("TestEnvInterpolation", "the shell wins inside .env", async (s) => {
  s.env["WHEREAMI"] = "shell";
  await s.ok("config");
  s.says("IMAGE: default_env:shell");
});
scenario("TestEnvInterpolationDefaultValue", "defaults inside .env", async (s) => {
  await s.ok("config");
  s.says("IMAGE: default_env:EnvFileDefaultValue");
});
scenario("TestUnsetEnv", "a passed-through variable without a value is unset", async (s) => {
  await s.ok("build");
  await s.ok("run", "-e", "EMPTY=hello", "--rm", "empty-variable");
  s.says("=hello=");
  await s.ok("run", "--rm", "empty-variable");
  s.says("==");
});
scenario("TestRawEnvFile", "format raw keeps quotes", async (s) => {
  await s.ok("run", "test");
  s.says(`'{"key": "value"}'`);
});
scenario("TestRunEnvFile", "env_file relative to the project", async (s) => {
  await s.ok("run", "--rm", "serviceC", "env");
  s.says("FOO=BAR");
});

scenario(
  "streams-of-run",
  "what is typed reaches a run, a detached one keeps its input, and events knows its services",
  async (s) => {
    s.input = "typed\n";
    const say = "test -t 1 && echo TERMINAL || cat";
    const said = async (...flags: string[]) =>
      (await s.ok("run", "--rm", ...flags, "app", "sh", "-c", say)).stdout.trim();
    expect([await said(), await said("-i"), await said("-T")]).toEqual(["typed", "typed", "typed"]);
    // with its input closed it would be over
    const id = (await s.ok("run", "-d", "app", "cat")).stdout.trim();
    await s.ok("container", "inspect", "-f", "{{.State.Status}} {{.Config.OpenStdin}} {{.Config.StdinOnce}}", id);
    expect(s.last.stdout).toBe("running true false\n");
    await s.ok("container", "rm", "-f", id);
    await s.exits(1, ["events", "nope"], "no such service: nope");
  },
  { modes: ["user", "root"], files: { "compose.yaml": "services: {app: {image: 'alpine:3.20'}}\n" } },
);
