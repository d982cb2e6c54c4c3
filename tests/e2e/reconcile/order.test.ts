/** What comes after what: conditions are waited for by every verb that starts, and nothing starts before everything is made. */
import { expect } from "@jest/globals";
import { eventually } from "../../helpers/host.js";
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
