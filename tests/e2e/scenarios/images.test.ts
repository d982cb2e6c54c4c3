/** Pulling, and which image of several platforms a container is made from. */
import { dockerIo, FOREIGN_PLATFORM, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario("TestComposePull", "every image is pulled, every time", async (s) => {
  for (let i = 0; i < 2; i++) {
    await s.ok("pull");
    s.says(/alpine:3\.14 +Pulled/, /alpine:3\.15 +Pulled/);
  }
});
scenario("TestPullImagePresentLocally", "missing skips what is there, but not latest", async (s) => {
  await s.ok("pull");
  await s.ok("pull");
  s.says(/alpine:3\.13\.12 +Skipped +Image is already present locally/, /alpine:latest +Pulled/);
});
scenario("TestPullNoImageNameGiven", "nothing to pull for a build", async (s) => {
  await s.ok("pull");
  s.says(/no-image-service +Skipped +No image to be pulled/);
});
scenario("TestPullFailure", "an unknown image is named", async (s) => {
  await s.exits(1, ["pull"], "pull access denied for does_not_exists");
});
scenario("TestPullIgnoreFailures", "--ignore-pull-failures goes on", async (s) => {
  await s.ok("pull", "--ignore-pull-failures");
  s.says("Some service image(s) must be built from source");
});
scenario("TestPullRefreshWindowExplicitPull", "an explicit pull ignores the daily window", async (s) => {
  await s.ok("pull");
  await s.ok("pull");
  s.says(/alpine:3\.18 +Pulled/);
  s.saysNot("Skipped");
});
scenario("TestImagesAfterImageRemoved", "images lists a container whose image lost its name", async (s) => {
  s.env["REMOVED_IMAGE"] = "alpine:3.15";
  await s.ok("image", "pull", "alpine:3.15");
  await s.ok("up", "-d");
  await s.run("image", "rm", "-f", "alpine:3.15");
  await s.ok("images");
  s.says(`${s.project}-app-1`);
});

scenario(
  "TestCreateIdempotentDefaultPlatform",
  "an image of DOCKER_DEFAULT_PLATFORM is no reason to recreate",
  async (s) => {
    s.env["DOCKER_DEFAULT_PLATFORM"] = FOREIGN_PLATFORM;
    await s.ok("create");
    await s.state("app", "created");
    await s.keeps("app", () => s.ok("create"));
  },
);
scenario(
  "TestCreateIdempotentSharedImageMixedPlatforms",
  "two platforms of one name stand side by side, and a second create keeps what was made",
  async (s) => {
    s.env["PINNED_PLATFORM"] = FOREIGN_PLATFORM;
    await s.ok("create");
    await s.state("native", "created");
    await s.state("pinned", "created");
    await s.keeps("native", () => s.keeps("pinned", () => s.ok("create")));
  },
  { fixture: "TestCreateIdempotentSharedImageMixedPlatforms" },
);
scenario("TestCreateLocalMultiPlatformImage", "a local name of two platforms needs no pull for either", async (s) => {
  for (const platform of ["linux/amd64", "linux/arm64"])
    await s.ok("image", "pull", "-q", "--platform", platform, "alpine:3.20");
  await s.ok("image", "tag", "alpine:3.20", "compose-e2e-multiplatform-local-only:v1");
  s.env["REQUESTED_PLATFORM"] = FOREIGN_PLATFORM;
  await s.ok("create");
  s.saysNot("Pulling");
  const [{ Name } = { Name: "" }] = await s.of("repro");
  const image = String((await s.inspect(Name))["Image"]);
  await s.ok("image", "inspect", "-f", "{{.Os}}/{{.Architecture}}", image);
  s.says(FOREIGN_PLATFORM);
});
