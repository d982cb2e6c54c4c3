/** Hooks around a service's life, and services that a provider program runs. */
import { existsSync, readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { dockerIo, type Scenario, scenario } from "../../helpers/scenario.js";

dockerIo();

scenario("TestPostStartHookInError", "a failing post_start hook fails up", async (s) => {
  await s.exits(1, ["up", "-d"], "test hook exited with status 127");
});
scenario(
  "hook-output",
  "what hooks print is for who is attached, on stdout; of a failing one the last lines are in its error",
  async (s) => {
    await s.run("up", "--menu=false", "job");
    expect([s.last.code, s.last.stdout]).toEqual([
      0,
      expect.stringMatching(/^Attaching to job-1\n(?:job-1 -> {2}\| (?:FINE|NOISE)\n){2}job-1 exited with code 0\n$/),
    ]);
    expect(s.last.stderr).not.toMatch(/Attaching|FINE|NOISE/);
    await s.ok("up", "-d", "--force-recreate", "job");
    s.saysNot("FINE", "NOISE");
    await s.ok("up", "-d", "app");
    await s.exits(1, ["stop"], "app hook exited with status 3: WHY 3");
    s.says("WHY 12");
    s.saysNot("WHY 2", "->");
  },
  {
    modes: ["user", "root"],
    files: {
      "compose.yaml": `services:
  job:
    image: alpine:3.20
    command: sleep 1
    post_start: [{command: [sh, -c, "echo FINE; echo NOISE >&2"]}]
  app:
    image: alpine:3.20
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    pre_stop: [{command: [sh, -c, "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo out; echo WHY $$i >&2; done; exit 3"]}]
`,
    },
  },
);
scenario("TestPostStartHookSuccess", "a post_start hook that works", async (s) => {
  await s.ok("up", "-d");
  await s.state("test", "running");
});
scenario("TestPreStopHookSuccess", "pre_stop runs before stop", async (s) => {
  await s.ok("up", "-d");
  await s.ok("stop", "-t", "1");
  await s.state("sample", "exited");
  await s.ok("run", "--rm", "-T", "sample", "cat", "/data/log.txt");
  s.says("In the pre-stop");
});
scenario("TestPreStopHookInError", "a failing pre_stop hook fails down", async (s) => {
  await s.ok("up", "-d");
  await s.exits(1, ["down", "-t", "0"], "sample hook exited with status 127");
});
scenario("TestPreStopHookSuccessWithPreviousStop", "stop of one service runs its hook only", async (s) => {
  await s.ok("up", "-d");
  await s.ok("stop", "-t", "1", "sample");
  await s.state("sample", "exited");
  await s.state("test", "running");
});
scenario("TestPostStartAndPreStopHook", "both kinds of hook", async (s) => {
  await s.ok("up", "-d");
  await s.state("sample", "running");
  await s.state("test", "running");
});
scenario("TestPreStartHookSuccess", "pre_start prepares a file", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.ok("logs", "sample");
  s.says("initialized");
});
scenario("TestPreStartHookInError", "a failing pre_start hook names itself", async (s) => {
  await s.exits(1, ["up", "-d"], /pre_start[\s\S]*17/);
  await s.state("sample", "created");
});
scenario("TestPreStartHookBuildInheritance", "a hook without an image runs on the built one", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.ok("logs", "sample");
  s.says("built-image-marker");
});
scenario("TestPreStartHookMidSequenceFailure", "the failing hook is named by its index", async (s) => {
  await s.exits(1, ["up", "-d"], "pre_start[1]", "17");
  await s.state("sample", "created");
});

/** What the hooks of earlier containers left in the project's volume. */
async function written(s: Scenario, file: string): Promise<string[]> {
  return (await s.inside("sample", "cat", file)).trim().split("\n");
}
function equal(is: readonly string[], wanted: readonly string[] | number): void {
  if (typeof wanted === "number" ? is.length !== wanted : is.join() !== wanted.join())
    throw new Error(`has ${is.join()}, wanted ${wanted}`);
}
scenario("TestPreStartHookIdempotentReUp", "an unchanged service is not prepared again", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.keeps("sample", () => s.ok("up", "-d", "--wait"));
  equal(await written(s, "/shared/tokens.txt"), 1);
});
scenario("TestPreStartHookReRunOnSpecChange", "another hook recreates the service and runs", async (s) => {
  s.env["HOOK_VERSION"] = "v1";
  await s.ok("up", "-d", "--wait");
  s.env["HOOK_VERSION"] = "v2";
  await s.keeps("sample", () => s.ok("up", "-d", "-t", "0", "--wait"), false);
  equal(await written(s, "/shared/versions.txt"), ["v1", "v2"]);
});
scenario("TestPreStartHookForceRecreate", "a replaced container is prepared again", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.keeps("sample", () => s.ok("up", "-d", "-t", "0", "--wait", "--force-recreate"), false);
  equal(await written(s, "/shared/tokens.txt"), 2);
});
scenario(
  "TestPreStartHookSequentialOrder",
  "hooks run one after the other",
  async (s) => {
    await s.ok("up", "-d", "--wait");
    equal(await written(s, "/shared/out"), ["A", "B"]);
  },
  { modes: ["user", "root"] },
);
scenario("TestPreStartHookNotReRunOnScaleUp", "a second replica is not prepared", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.ok("up", "-d", "--scale", "sample=2", "--wait");
  await s.scale("sample", 2);
  equal(await written(s, "/shared/tokens.txt"), 1);
});
scenario("TestPreStartHookRunsOnceForScaledService", "once for all replicas", async (s) => {
  await s.ok("up", "-d", "--wait");
  await s.scale("sample", 2);
  equal(await written(s, "/shared/log"), ["ran"]);
});

/** A provider program as the reference's: it is found on PATH by its name. */
function withProvider(s: Scenario): void {
  s.write("bin/docker-example-provider", PROVIDER);
  s.env["PATH"] = `${s.folder}/bin:${s.host.env["PATH"]}`;
}
scenario("TestDependsOnMultipleProviders", "provider variables carry the service's name", async (s) => {
  withProvider(s);
  await s.ok("up", "--menu=false");
  s.says("PROVIDER1_URL=https://magic.cloud/provider1", "PROVIDER2_URL=https://magic.cloud/provider2");
});
scenario("TestProviderRawSetEnv", "setenv carries the service's name, rawsetenv does not", async (s) => {
  withProvider(s);
  await s.ok("up", "--menu=false");
  s.says("SECRETS_URL=https://magic.cloud/secrets", "CLOUD_REGION=us-east-1");
  s.saysNot("SECRETS_CLOUD_REGION", "overrid");
});
for (const name of [
  "TestProviderRawSetEnvOverridesUserEnv",
  "TestProviderRawSetEnvOverridesInheritedEnv",
  "TestProviderRawSetEnvOverridesInheritedEnvMapForm",
]) {
  scenario(name, "rawsetenv wins over the user's value, with a warning", async (s) => {
    withProvider(s);
    s.env["CLOUD_REGION"] = "eu-west-3";
    await s.ok("up", "--menu=false");
    s.says("CLOUD_REGION=us-east-1", /CLOUD_REGION[\s\S]*overrid|overrid[\s\S]*CLOUD_REGION/i);
    s.saysNot("CLOUD_REGION=eu-west-3");
  });
}
scenario("TestProviderStopHook", "stop calls the provider", async (s) => {
  withProvider(s);
  s.env["PROVIDER_STOP_MARKER"] = `${s.folder}/stopped`;
  await s.ok("up", "-d");
  await s.ok("stop", "-t", "1");
  if (!existsSync(`${s.folder}/stopped`)) throw new Error("stop was not called");
});
scenario(
  "provider-protocol",
  "a provider is asked what it takes, and called with just that",
  async (s) => {
    s.write("bin/docker-asked", ASKED);
    s.env["PATH"] = `${s.folder}/bin:${s.host.env["PATH"]}`;
    s.env["CALLS"] = `${s.folder}/calls`;
    const calls = () => readFileSync(`${s.folder}/calls`, "utf8");
    const words = (verb: string, options = "") => `compose --project-name=${s.project} ${verb} ${options}db\n`;
    await s.ok("--progress", "plain", "up", "-d");
    expect(calls()).toBe(`compose metadata\n${words("up", "--size=3 --size=4 ")}`);
    s.says(/^ db Creating $/m, /^ db half way $/m, /^ db Created $/m);
    s.saysNot("second line");
    // it says nothing of stopping
    await s.ok("stop");
    expect(calls()).not.toContain(" stop ");
    await s.ok("--progress", "plain", "down");
    expect(calls()).toContain(words("down"));
    s.says(/^ db Removing $/m, /^ db Removed $/m);
    for (const [answer, why] of [
      ['{"type":"error","message":"no room"}', "]: no room"],
      ['{"type":"later","message":"x"}', "]: invalid response from plugin: later"],
      ['{"type":"setenv","message":"X"}', "]: invalid response from plugin: X"],
      ["exit 4", "]: failed to create service provider: exit status 4"],
    ] as const) {
      s.env["ANSWER"] = answer;
      await s.exits(1, ["up", "-d"], why);
    }
    await s.exits(
      1,
      ["-f", "missing.yaml", "up", "-d"],
      'required parameter "size" is missing from provider "asked" definition',
    );
  },
  {
    modes: ["user", "root"],
    files: {
      "compose.yaml": "services: {db: {provider: {type: asked, options: {size: [3, 4], other: x}}}}\n",
      "missing.yaml": "services: {db: {provider: {type: asked, options: {other: x}}}}\n",
    },
  },
);
const ASKED = `#!/bin/sh
echo "$*" >>"$CALLS"
if [ "$2" = metadata ]; then
  echo '{"description": "asks",'
  echo ' "up": {"parameters": [{"name": "size", "required": true}]}, "down": {"parameters": [{"name": "force"}]}}'
elif [ -z "$ANSWER" ]; then printf '%s\\n' '{"type":"info","message":"half way\\nsecond line"}'
elif [ "$ANSWER" = "exit 4" ]; then exit 4
else echo "$ANSWER"
fi
`;
const PROVIDER = `#!/bin/sh
# what the reference's example provider answers: compose up|down|stop --project-name=P [options] NAME
for last; do :; done
name=$last
case "$*" in
  "compose metadata") echo '{"description":"example","up":{"parameters":[]},"down":{"parameters":[]},"stop":{"parameters":[]}}' ;;
  *" up "*|*"up "*) echo '{"type":"info","message":"preparing"}'; echo '{"type":"setenv","message":"URL=https://magic.cloud/'$name'"}'; echo '{"type":"rawsetenv","message":"CLOUD_REGION=us-east-1"}' ;;
  *stop*) [ -z "$PROVIDER_STOP_MARKER" ] || : >"$PROVIDER_STOP_MARKER" ;;
esac
exit 0
`;
