/** What `config` prints of projects, whole and in part. */

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect } from "@jest/globals";
import { parse } from "yaml";
import { dockerIo, type Scenario, scenario } from "../../helpers/scenario.js";

dockerIo();

function same(is: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(is, wanted)) throw new Error(`is ${JSON.stringify(is)}, wanted ${JSON.stringify(wanted)}`);
}
async function lines(s: Scenario, ...args: string[]): Promise<string[]> {
  return (await s.ok(...args)).stdout.trim().split("\n");
}

scenario("TestConfig", "the canonical form", async (s) => {
  same(parse((await s.ok("config")).stdout), {
    name: s.project,
    services: {
      nginx: {
        build: { context: join(s.folder, "nginx-build"), dockerfile: "Dockerfile" },
        networks: { default: null },
      },
    },
    networks: { default: { name: `${s.project}_default` } },
  });
});
scenario("TestConfigInterpolate", "--no-interpolate keeps variables, resolves paths and sorts keys", async (s) => {
  const text = (await s.ok("config", "--no-interpolate")).stdout;
  const model = parse(text) as { services: { nginx: { build: object } } };
  same(model.services.nginx.build, { context: join(s.folder, "nginx-build"), dockerfile: "${MYVAR}" });
  const keys = [...text.matchAll(/^(\w+):/gm)].map(([, key]) => key);
  same(keys, keys.toSorted());
});
scenario(
  "TestLocalComposeConfig",
  "ports in long form; variables and their defaults; what cannot be filtered says so",
  async (s) => {
    const port = { mode: "ingress", target: 80, published: "8080", protocol: "tcp" };
    const ports = (text: string) => (parse(text) as { services: { test: { ports: unknown } } }).services.test.ports;
    same(ports((await s.ok("config")).stdout), [port]);
    same(ports((await s.ok("config", "--format", "json")).stdout), [port]);
    same(ports((await s.ok("config", "--no-interpolate")).stdout), ["${PORT:-8080}:80"]);
    const variable = { Name: "PORT", DefaultValue: "8080", PresenceValue: "", Required: false };
    same(JSON.parse((await s.ok("config", "--variables", "--format", "json")).stdout), { PORT: variable });
    const lower = { name: "PORT", defaultvalue: "8080", presencevalue: "", required: false };
    same(parse((await s.ok("config", "--variables", "--format", "yaml")).stdout), { PORT: lower });
    // to the byte as the reference writes them, which differs from its `config`
    same(s.last.stdout.split("\n", 2), ["PORT:", "    name: PORT"]);
    const [table, upper] = [
      await s.ok("config", "--variables"),
      await s.ok("config", "--variables", "--format", "TABLE"),
    ];
    same(upper.stdout, table.stdout);
    for (const format of ["JSON", "{{json.}}"])
      same((await s.ok("config", "--variables", "--format", format)).stdout.slice(-7), "  }\n}\n\n");
    await s.exits(
      1,
      ["config", "--variables", "--format", "YAML"],
      'format value "YAML" could not be parsed: parsing failed',
    );
    for (const flag of ["--no-interpolate", "--variables"]) {
      await s.ok("config", flag, "test");
      if (!/filter/i.test(s.last.stderr)) throw new Error(`no warning with ${flag}: ${s.last.stderr}`);
    }
  },
);
scenario("TestLocalComposeConfigNoConsistency", "--no-consistency lists what an incomplete project has", async (s) => {
  const list = (...args: string[]) => lines(s, "config", "--no-consistency", ...args);
  same(await list("--services"), ["incomplete"]);
  same(await list("--volumes"), ["data"]);
  same(await list("--networks"), ["internal"]);
  same(await list("--models"), ["ai/example"]);
  const [hash = ""] = await list("--hash", "*");
  if (!/^incomplete [0-9a-f]{64}$/.test(hash)) throw new Error(hash);
  same((await lines(s, "--profile", "extra", "config", "--no-consistency", "--services")).toSorted(), [
    "gated",
    "incomplete",
  ]);
});

scenario(
  "faults-of-others",
  "what is wrong with other services keeps none from its hash, and no project from what makes no containers",
  async (s) => {
    await s.ok("config", "--hash", "a");
    expect(s.last.stdout).toMatch(/^a [0-9a-f]{64}\n$/);
    await s.exits(1, ["config", "--hash", "b"], "env file /does/not/exist not found");
    await s.exits(1, ["config", "--hash", "*"], "env file /does/not/exist not found");
    await s.ok("config", "--no-env-resolution", "--hash", "b");
    await s.exits(1, ["config", "--hash", "d"], "no such service: d: disabled");
    // as docker's completion asks
    await s.ok("__complete", "compose", "-f", "compose.yaml", "exec", "");
    expect(s.last.stdout).toMatch(/^a\b[\s\S]*^b\b/m);
    for (const verb of ["ps", "logs", "stop", "down"]) await s.ok("-f", "names.yaml", verb);
    await s.ok("-f", "names.yaml", "config", "--services");
    for (const verb of ["config", "create"])
      await s.exits(1, ["-f", "names.yaml", verb], 'container name "one" is already in use');
  },
  {
    files: {
      "compose.yaml": `services:
  a: {image: alpine}
  b: {image: alpine, env_file: /does/not/exist}
  d: {image: alpine, profiles: [x]}
`,
      "names.yaml": `services:
  a: {image: alpine, container_name: one}
  b: {image: alpine, container_name: one}
`,
    },
  },
);
