/** What comes after what: conditions are waited for by every verb that starts, and nothing starts before everything is made. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { eventually, TSCOMPOSE } from "../../helpers/host.js";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };
/** Healthy two seconds after each start; `after` writes when it began and whether `base` was healthy then. */
const READY = `services:
  base:
    image: alpine:3.20
    init: true
    command: sh -c 'rm -f /shared/ready; sleep 2; touch /shared/ready; sleep 1000'
    healthcheck: {test: test -f /shared/ready, interval: 300ms, retries: 30}
    stop_grace_period: 1s
    volumes: [shared:/shared]
  after:
    image: alpine:3.20
    init: true
    command: sh -c 'test -f /shared/ready && echo READY || echo EARLY; sleep 1000'
    stop_grace_period: 1s
    volumes: [shared:/shared]
    depends_on: {base: {condition: service_healthy, restart: true}}
volumes: {shared: {}}
`;

for (const [name, restart] of [
  ["all", ["restart"]],
  ["a dependency", ["restart", "base"]],
] as const) {
  scenario(
    `restart-waits-${restart.length}`,
    `restart of ${name} lets dependents wait until it is healthy again`,
    async (s) => {
      await s.ok("up", "-d");
      await s.ok(...restart);
      await s.ok("logs", "--no-log-prefix", "after");
      expect(s.last.stdout.match(/READY|EARLY/g)).toEqual(["READY", "READY"]);
    },
    { ...both, files: { "compose.yaml": READY } },
  );
}

scenario(
  "restart-failed-job",
  "restart does not start what depends on a job that fails again",
  async (s) => {
    await s.run("up", "-d");
    await s.exits(1, ["restart"], `service "job" didn't complete successfully: exit 4`);
    await eventually(async () => (await s.of("next"))[0]?.State !== "running");
    await s.ok("logs", "--no-log-prefix", "next");
    s.saysNot("RAN");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  job: {image: "alpine:3.20", command: sh -c 'exit 4'}
  next:
    image: alpine:3.20
    command: echo RAN
    depends_on: {job: {condition: service_completed_successfully, restart: true}}
`,
    },
  },
);

const TWO = `services:
  dependency: {image: "alpine:3.20", init: true, command: sleep 1000}
  app: {image: "alpine:3.20", init: true, command: sh -c 'echo BEGUN; sleep 1000', depends_on: [dependency]}
`;

scenario(
  "interrupt-named",
  "Ctrl-C in an attached up of one service stops that one, what it depends on goes on",
  async (s) => {
    const script = `"$0" up --menu=false app >out 2>&1 & pid=$!
      until grep -q BEGUN out; do sleep 0.2; done; kill -INT $pid; wait $pid; exit $?`;
    const { code } = await s.host.exec(s.folder, ["bash", "-c", script, TSCOMPOSE], { env: s.env });
    expect(code).toBe(130);
    await s.state("app", "exited");
    await s.state("dependency", "running");
  },
  { ...both, files: { "compose.yaml": TWO } },
);

scenario(
  "stop-again",
  "stop tells of containers that have stopped already",
  async (s) => {
    await s.ok("up", "-d", "dependency");
    await s.ok("stop", "-t", "0");
    await s.ok("stop", "-t", "0");
    s.says(/dependency-1\s+Stopped/);
  },
  { files: { "compose.yaml": TWO } },
);

scenario(
  "missing-env-file",
  "an env_file that is gone stops only what makes containers",
  async (s) => {
    s.write("app.env", "A=1\n");
    await s.ok("up", "-d");
    rmSync(join(s.folder, "app.env"));
    const kept = [["ps"], ["logs"], ["top"], ["images"], ["exec", "-T", "app", "true"]];
    for (const args of [
      ...kept,
      ["restart", "-t", "0"],
      ["kill"],
      ["start"],
      ["stop", "-t", "0"],
      ["rm", "-f"],
      ["config", "--services"],
      ["viz"],
    ])
      await s.ok(...args);
    await s.exits(1, ["up", "-d"], /env file .*app\.env not found/);
    await s.exits(1, ["run", "app", "true"], /env file .*app\.env not found/);
    await s.ok("down", "-t", "0");
  },
  {
    files: {
      "compose.yaml":
        'services:\n  app: {image: "alpine:3.20", init: true, command: sleep 1000, env_file: [app.env]}\n',
    },
  },
);
