/** Building images through compose. */
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario("TestBuildSecrets", "secrets from a file, a variable and .env reach the build", async (s) => {
  s.env["SECRET_IMAGE"] = "build-secrets-test";
  s.env["SOME_SECRET"] = "bar";
  await s.ok("build", "ssh");
  await s.imageExists("build-secrets-test");
});

scenario("TestBuildTags", "one image carries every tag", async (s) => {
  s.env["TAG_IMAGE"] = "tags-test";
  await s.ok("build", "--no-cache");
  for (const name of ["tags-test", "docker/tags-test:1.0.0", "tags-test-other:v1.0.0"]) await s.imageExists(name);
});

scenario("TestBuildDependsOn", "a dependency with pull_policy build is built first", async (s) => {
  await s.ok("--progress=plain", "up", "--menu=false", "test2");
  s.says(/test1 +Built/);
});

scenario("TestBuildSubset", "only the named service is built", async (s) => {
  await s.ok("build", "main");
  s.says(/main +Built/);
  s.saysNot(/dep1 +Built/);
});

scenario("TestBuildDependentImage", "a service image as build context", async (s) => {
  await s.ok("build", "firstbuild");
  s.says(/firstbuild +Built/);
  await s.ok("build", "secondbuild");
  s.says(/secondbuild +Built/);
});

scenario("TestBuildSubDependencies", "a chain of service contexts several levels deep", async (s) => {
  await s.ok("build", "main");
  s.says(/main +Built/);
  await s.ok("up", "--build", "--menu=false", "main");
  s.says(/main +Built/, "Hello from main");
});

scenario("TestBuildLongOutputLine", "floods of long lines do not stop a build", async (s) => {
  await s.ok("build", "long-line");
  s.says(/long-line +Built/);
});

scenario("TestBuildDependentImageWithProfile", "naming a profiled service switches its profile on", async (s) => {
  await s.ok("build", "secret-build-test");
  s.says(/secret-build-test +Built/);
});

scenario("TestBuildEscaped", "literal dollars arrive in the build", async (s) => {
  await s.ok("--progress=plain", "build", "--no-cache", "foo");
  s.says("foo is ${bar}");
  await s.ok("build", "--no-cache", "echo");
  await s.ok("build", "--no-cache", "arg");
});

scenario("TestUpBuildUnchangedContext", "building again without a change keeps the container", async (s) => {
  await s.ok("up", "-d", "--build");
  const before = await s.ids("app");
  await s.ok("up", "-d", "--build");
  if ((await s.ids("app")).join() !== before.join()) throw new Error("recreated although nothing changed");
});

scenario(
  "TestCommentsInEnvFile",
  "an unquoted # in .env starts no comment without a space, quotes keep it",
  async (s) => {
    await s.ok("build");
    await s.ok("run", "--rm", "-e", "COMMENT", "-e", "NO_COMMENT", "env-file-comments", "env");
    s.says("COMMENT=1234#5", "NO_COMMENT=1234#5");
  },
);

for (const [name, service, built] of [
  ["TestRunBuildOnceDependency", "curl", ["nginx"]],
  ["TestRunBuildOnceNestedDependencies", "app", ["db", "api", "app"]],
  ["TestRunBuildOnceNoDeps", "simple", ["simple"]],
] as const) {
  scenario(name, "run --build builds each image exactly once", async (s) => {
    await s.ok("--verbose", "run", "--build", "--rm", service);
    for (const image of built) {
      const lines = s.last.stderr.split("\n").filter((line) => new RegExp(`${image} +Built`).test(line));
      if (lines.length !== 1) throw new Error(`${image} built ${lines.length} times\n${s.last.stderr}`);
    }
  });
}
