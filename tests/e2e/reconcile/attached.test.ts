/** Attached `up` and `logs -f` beside other commands: what they print, in which order, and when they end. */
import { expect } from "@jest/globals";
import { inBackground } from "../../helpers/background.js";
import { eventually } from "../../helpers/host.js";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };

scenario(
  "unended-line",
  "a last line without a line end comes before the exit, at every up, and is no part of what comes later",
  async (s) => {
    for (const _round of [1, 2, 3]) {
      await s.ok("up", "--no-color");
      const lines = s.last.stdout.split("\n").filter((line) => line.startsWith("mixed-1"));
      expect(lines).toEqual(["mixed-1  | first", "mixed-1  | last without", "mixed-1 exited with code 0"]);
      expect(s.last.stdout.split("\n").filter((line) => line.startsWith("nonl-1"))).toEqual([
        "nonl-1   | no-newline",
        "nonl-1 exited with code 0",
      ]);
    }
    await s.ok("logs", "--no-log-prefix", "nonl");
    expect(s.last.stdout).toBe("no-newline\nno-newline\nno-newline\n");
    await s.ok("logs", "--no-log-prefix", "--tail", "2", "mixed");
    expect(s.last.stdout).toBe("first\nlast without\n");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  mixed: {image: "alpine:3.20", command: ["sh", "-c", "echo first; printf 'last without'"]}
  nonl: {image: "alpine:3.20", command: ["sh", "-c", "printf no-newline"]}
`,
    },
  },
);

const LOOP = `services:
  a:
    image: alpine:3.20
    init: true
    stop_grace_period: 1s
    command: sh -c 'echo BEGUN; while sleep 1; do echo TICK; done'
`;
const count = (text: string, wanted: string) => text.split(wanted).length - 1;

for (const [what, others] of [
  ["recreated", [["up", "-d", "--force-recreate"]]],
  ["restarted", [["restart", "-t", "1"]]],
  [
    "scaled",
    [
      ["up", "-d", "--scale", "a=2"],
      ["up", "-d", "--scale", "a=1"],
    ],
  ],
] as const) {
  scenario(
    `attached-${what}`,
    `attached up and logs -f stay with containers that another command has ${what}`,
    async (s) => {
      await using up = inBackground(s.host, s.folder, ["up"]);
      await eventually(() => up.stdout().includes("BEGUN"));
      await using logs = inBackground(s.host, s.folder, ["logs", "-f"]);
      await eventually(() => logs.stdout().includes("BEGUN"));
      for (const [index, args] of others.entries()) {
        const before = [up, logs].map((one) => count(one.stdout(), "BEGUN"));
        await s.ok(...args);
        if (index === 0) {
          await eventually(() => [up, logs].every((one, i) => count(one.stdout(), "BEGUN") > (before[i] ?? 0)));
        }
      }
      expect([up.code(), logs.code()]).toEqual([undefined, undefined]);
      const ticks = count(up.stdout(), "TICK");
      await eventually(() => count(up.stdout(), "TICK") > ticks);
      // and they end when nothing of it is left
      await s.ok("down", "-t", "0");
      expect(await up.ended).toBe(0);
      expect(await logs.ended).toBe(0);
      if (what === "recreated") expect(up.stdout()).toContain("a-1 has been recreated");
    },
    { ...both, files: { "compose.yaml": LOOP } },
  );
}

scenario(
  "attached-hooks",
  "output of hooks is shown on standard output with its container's name",
  async (s) => {
    await using up = inBackground(s.host, s.folder, ["up", "--no-color"]);
    await eventually(() => up.stdout().includes("web-1 exited with code"));
    expect(await up.ended).toBe(0);
    await using again = inBackground(s.host, s.folder, ["up", "--no-color"], { LIFE: "1000" });
    await eventually(() => again.stdout().includes("after the start"));
    expect(await again.interrupt()).toBe(130);
    const hooks = again
      .stdout()
      .split("\n")
      .filter((line) => /-> +\|/.test(line));
    expect(hooks.map((line) => line.replace(/ +/g, " "))).toEqual([
      "web pre_start[0] -> | before the start",
      "web-1 -> | after the start",
      "web-1 -> | to stderr",
      "web-1 -> | before the stop",
    ]);
    expect(again.stderr()).not.toMatch(/before the|after the|to stderr/);
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  web:
    image: alpine:3.20
    init: true
    command: sleep \${LIFE:-2}
    pre_start: [{command: ["echo", "before the start"]}]
    post_start: [{command: ["sh", "-c", "echo after the start; echo to stderr >&2"]}]
    pre_stop: [{command: ["echo", "before the stop"]}]
`,
    },
  },
);
