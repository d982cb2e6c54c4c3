/** How up and run end: --wait, exit codes, dry runs, and two commands at the same time. */
import { expect } from "@jest/globals";
import { eventually } from "../../helpers/host.js";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const SLEEP = "image: alpine:3.20\n    init: true\n    command: sleep 1000\n";
const both = { modes: ["user", "root"] as const };

scenario(
  "wait-outcomes",
  "up --wait: healthy is success, exited and unhealthy are failures, time is bounded",
  async (s) => {
    await s.ok("up", "-d", "--wait", "good");
    expect((await s.of("good"))[0]?.Health).toBe("healthy");
    await s.exits(1, ["up", "--wait", "bad"], "unhealthy");
    await s.exits(1, ["up", "--wait", "once"], /once-1.*exited \(0\)/);
    await s.exits(1, ["up", "--wait", "failing"], /failing-1.*exited \(3\)/);
    await s.exits(1, ["up", "--wait", "--wait-timeout", "1", "slow"], "application not healthy after 1s");
    await s.state("slow", "running");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  good:
    ${SLEEP}    healthcheck: {test: [CMD, "true"], interval: 200ms}
  bad:
    ${SLEEP}    healthcheck: {test: [CMD, "false"], interval: 100ms, retries: 2}
  slow:
    ${SLEEP}    healthcheck: {test: [CMD, "false"], interval: 30s, start_period: 60s}
  once: {image: "alpine:3.20", command: "true"}
  failing: {image: "alpine:3.20", command: [sh, -c, "exit 3"]}
`,
    },
  },
);

scenario(
  "run-codes",
  "run and exec end with the command's code, 126 and 127 as a shell says them, 125 for our own failure",
  async (s) => {
    await s.exits(7, ["run", "--rm", "-T", "app", "sh", "-c", "exit 7"]);
    await s.exits(127, ["run", "--rm", "-T", "plain", "no-such-program"]);
    await s.exits(126, ["run", "--rm", "-T", "plain", "/etc/passwd"]);
    await s.exits(137, ["run", "--rm", "-T", "app", "sh", "-c", "kill -KILL $$"]);
    expect(await s.oneOffs("plain")).toEqual([]);
    expect(await s.oneOffs("app")).toEqual([]);
    await s.ok("up", "-d", "app");
    await s.exits(9, ["exec", "-T", "app", "sh", "-c", "exit 9"]);
    await s.exits(127, ["exec", "-T", "app", "no-such-program"]);
    await s.exits(126, ["exec", "-T", "app", "/etc/passwd"]);
    await s.exits(1, ["exec", "-T", "plain", "true"], 'service "plain" is not running');
    await s.exits(1, ["run", "--rm", "nobody"], "no such service: nobody");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:\n  app:\n    ${SLEEP}  plain: {image: "alpine:3.20", command: sleep 1000, network_mode: none}\n`,
    },
  },
);

scenario(
  "dry-run",
  "up --dry-run tells each step and its cause and changes nothing",
  async (s) => {
    await s.ok("up", "-d");
    const before = await s.rows();
    s.write(
      "compose.yaml",
      `services:\n  a:\n    ${SLEEP}    environment: {NEW: "1"}\n  b:\n    ${SLEEP}    scale: 2\n  c:\n    ${SLEEP}networks: {default: {labels: {x: y}}}\n`,
    );
    await s.ok("--dry-run", "up", "-d");
    s.says(
      "create container a-1: config changed: environment.NEW",
      "create container b-2: scale is 2",
      "create container c-1: does not exist",
    );
    expect(JSON.stringify((await s.rows()).map((row) => row.ID))).toBe(JSON.stringify(before.map((row) => row.ID)));
    await s.ok("--dry-run", "down", "-v");
    s.says(/remove container a-1/);
    expect(await s.rows()).toHaveLength(before.length);
  },
  { files: { "compose.yaml": `services:\n  a:\n    ${SLEEP}  b:\n    ${SLEEP}` } },
);

scenario(
  "same-time",
  "commands on one project wait for each other with a word; on two projects they run side by side",
  async (s) => {
    await s.ok("up", "-d", "quick");
    const slow = s.host.run(s.folder, ["up", "-d"]);
    const other = s.host.run(s.folder, ["-p", `${s.project}other`, "up", "-d", "quick"]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const second = s.host.run(s.folder, ["up", "-d", "--scale", "quick=2", "quick"]);
    const order: string[] = [];
    await Promise.all([
      slow.then((result) => order.push(`slow ${result.code}`)),
      other.then((result) => order.push(`other ${result.code}`)),
      second.then((result) => order.push(`second ${result.code}`)),
    ]);
    expect(order).toEqual(["other 0", "slow 0", "second 0"]);
    expect((await second).stderr).toMatch(/waiting|another/i);
    await s.scale("quick", 2);
    await s.ok("-p", `${s.project}other`, "down", "-t", "0");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  quick:
    ${SLEEP}  healthy:
    ${SLEEP}    healthcheck: {test: [CMD, sh, -c, "test -e /up || { sleep 2; touch /up; }"], interval: 200ms, timeout: 5s}
  last:
    ${SLEEP}    depends_on: {healthy: {condition: service_healthy}}
`,
    },
  },
);

scenario(
  "restart-policies",
  "on-failure gives up after its tries, always comes back, unless-stopped stays down after stop",
  async (s) => {
    await s.ok("up", "-d");
    const count = async (service: string) =>
      Number((await s.inspect(`${s.project}-${service}-1`))["RestartCount"] ?? -1);
    await s.state("failing", "exited", 20_000);
    expect(await count("failing")).toBe(2);
    await s.state("fine", "exited");
    expect(await count("fine")).toBe(0);
    // The exec dies with the container it kills: its own exit code depends on who is first.
    await s.run("exec", "-T", "always", "sh", "-c", "kill -TERM 1");
    await eventually(async () => (await count("always")) === 1);
    await s.state("always", "running", 20_000);
    await s.ok("stop", "-t", "0", "unless");
    await s.state("unless", "exited");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  failing: {image: "alpine:3.20", command: "false", restart: "on-failure:2"}
  fine: {image: "alpine:3.20", command: "true", restart: on-failure}
  always:
    ${SLEEP}    restart: always
  unless:
    ${SLEEP}    restart: unless-stopped
`,
    },
  },
);
