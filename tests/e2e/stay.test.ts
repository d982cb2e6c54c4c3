/**
 * A long stay: attached `up`, `up --watch`, `logs -f` and `events` stay open while other commands do everything else. They end when they
 * should, and only then. About a minute; TSCOMPOSE_STAY=30 makes it thirty.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { inBackground } from "../helpers/background.js";
import { eventually } from "../helpers/host.js";
import { dockerIo, scenario } from "../helpers/scenario.js";

dockerIo();

const STAY_MS = Number(process.env["TSCOMPOSE_STAY"] ?? "1") * 60_000;

const COMPOSE = `services:
  web:
    build: {dockerfile_inline: "FROM alpine\\nCOPY test /test\\n"}
    init: true
    stop_grace_period: 1s
    command: sh -c 'echo BEGUN; while sleep 1; do echo TICK; done'
    develop: {watch: [{path: test, action: rebuild}]}
  job:
    image: alpine:3.20
    init: true
    stop_grace_period: 1s
    restart: unless-stopped
    command: sh -c 'sleep 2; printf unended'
`;
const OTHER = 'services:\n  other: {image: "alpine:3.20", init: true, stop_grace_period: 1s, command: sleep 1000}\n';

for (const mode of ["user", "root"] as const) {
  scenario(
    `stay-${mode}`,
    "attached up, logs -f and events stay while other commands restart, replace, scale, rebuild and remove",
    async (s) => {
      const other = s.host.project("stay-other", { "compose.yaml": OTHER });
      await using up = inBackground(s.host, s.folder, ["up", "--build", "--watch", "web"]);
      await eventually(() => up.stdout().includes("BEGUN"), 60_000);
      await s.ok("up", "-d", "job");
      await using logs = inBackground(s.host, s.folder, ["logs", "-f"]);
      await using events = inBackground(s.host, s.folder, ["events"]);
      const open = { up, logs, events };
      const staying = (after: string) => {
        for (const [name, { code, output }] of Object.entries(open)) {
          if (code() !== undefined) throw new Error(`${name} has ended with ${code()} after ${after}\n${output()}`);
        }
      };
      const end = Date.now() + STAY_MS;
      for (let round = 0; round < 2 || Date.now() < end; round++) {
        const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
          ["restart", () => s.ok("restart", "-t", "1", "web")],
          ["recreate", () => s.ok("up", "-d", "--force-recreate", "web")],
          ["scale up", () => s.ok("up", "-d", "--no-recreate", "--scale", "web=3", "web")],
          ["kill of one", () => s.ok("container", "kill", `${s.project}-web-2`)],
          ["rm", () => s.ok("rm", "-f", "web")],
          ["scale down", () => s.ok("up", "-d", "--no-recreate", "--scale", "web=1", "web")],
          [
            "rebuild",
            async () => {
              const [before] = await s.ids("web");
              writeFileSync(join(s.folder, "test"), `${round}\n`);
              await eventually(async () => {
                const [row] = await s.of("web");
                return row?.State === "running" && row.ID !== before;
              }, 60_000);
            },
          ],
          ["job recreated", () => s.ok("up", "-d", "--force-recreate", "job")],
          ["one-off", () => s.ok("run", "--rm", "--no-deps", "web", "true")],
          [
            "other project",
            async () => {
              await s.host.must(other, "up", "-d");
              await s.host.must(other, "down", "-t", "0");
            },
          ],
        ];
        for (const [name, step] of steps) {
          await step();
          staying(`${name} of round ${round}`);
        }
        const seen = [up, logs].map((one) => one.stdout().length);
        await eventually(() => [up, logs].every((one, index) => one.stdout().length > (seen[index] ?? 0)));
      }
      await s.ok("down", "-t", "0");
      expect(await up.ended).toBe(0);
      expect(await logs.ended).toBe(0);
      expect(events.code()).toBeUndefined();
      expect(await events.interrupt()).toBe(130);
      expect(events.stdout()).toContain("container destroy");
      expect(logs.stdout()).toMatch(/job-1 +\| unended\n/);
    },
    { modes: [mode], files: { test: "begin\n", "compose.yaml": COMPOSE }, timeoutMs: 2 * STAY_MS + 180_000 },
  );
}
