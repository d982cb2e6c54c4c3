/** `watch` on real containers: every action, a burst of thousands of changes, and changes that come while a batch is worked on. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { eventually, isRoot, onHost, REPOSITORY, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";

const check = isRoot ? test : test.skip;

const COMPOSE = `services:
  web:
    build: app
    init: true
    command: sleep 1000
    develop:
      watch:
        - {action: sync, path: ./src, target: /www/src, initial_sync: true, ignore: ["*.tmp"]}
        - {action: sync+restart, path: ./conf, target: /www/conf}
        - {action: sync+exec, path: ./hooked, target: /www/hooked, exec: {command: sh -c "echo ran >> /www/ran"}}
        - {action: rebuild, path: ./app/Dockerfile}
`;

function project(host: TestHost): string {
  const dockerfile = readFileSync(join(REPOSITORY, "examples/quickstart/app/Dockerfile"), "utf8");
  const folder = host.project("watched", {
    "compose.yaml": COMPOSE,
    "app/Dockerfile": dockerfile,
    "src/first": "there before\n",
    "conf/c": "0",
    "hooked/h": "0",
  });
  mkdirSync(join(folder, "app"), { recursive: true });
  cpSync("/bin/busybox", join(folder, "app/busybox"));
  return folder;
}

/** `tscompose watch` in the background, ended with SIGINT. */
function startWatch(host: TestHost, folder: string): { child: ChildProcess; output: () => string } {
  const user = host.mode === "user" ? testUser() : undefined;
  const child = spawn(TSCOMPOSE, ["watch", "--no-up"], {
    cwd: folder,
    env: host.env,
    stdio: ["ignore", "pipe", "pipe"],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data: Buffer) => {
      text += data;
    });
  return { child, output: () => text };
}

describe.each(["user", "root"] as const)("watch, %s", (mode) => {
  check(
    "brings every change into the container",
    onHost(mode, async (host) => {
      const folder = project(host);
      await host.must(folder, "up", "-d", "--build");
      const watch = startWatch(host, folder);
      try {
        const inside = async (script: string) =>
          (await host.run(folder, ["exec", "-T", "web", "sh", "-c", script])).stdout.trim();
        const becomes = (script: string, wanted: string) =>
          eventually(async () => (await inside(script)) === wanted, 20_000).catch(async () => {
            throw new Error(`${script} gives ${await inside(script)}, not ${wanted}\n${watch.output()}`);
          });
        await becomes("cat /www/src/first", "there before");

        for (let i = 0; i < 3000; i++) writeFileSync(join(folder, `src/f${i}`), String(i));
        writeFileSync(join(folder, "src/no.tmp"), "ignored");
        // comes while the burst is worked on
        await eventually(() => watch.output().includes("Syncing"));
        rmSync(join(folder, "src/f1"));
        await becomes("ls /www/src | wc -l", "3000");
        await becomes("cat /www/src/f2999; ls /www/src/f1 /www/src/no.tmp 2>/dev/null", "2999");

        writeFileSync(join(folder, "hooked/h"), "1");
        await becomes("cat /www/hooked/h /www/ran", "1ran");

        const started = async () => await host.must(folder, "ps", "--format", "{{.ID}} {{.Status}}");
        const before = (
          await host.must(folder, "container", "inspect", "watched-web-1", "--format", "{{.State.StartedAt}}")
        ).trim();
        writeFileSync(join(folder, "conf/c"), "1");
        await becomes("cat /www/conf/c", "1");
        await eventually(async () => {
          const now = await host.run(folder, [
            "container",
            "inspect",
            "watched-web-1",
            "--format",
            "{{.State.StartedAt}}",
          ]);
          return now.code === 0 && now.stdout.trim() !== before;
        });

        const id = (await host.must(folder, "ps", "-q")).trim();
        appendFileSync(join(folder, "app/Dockerfile"), "ENV REBUILT=yes\n");
        await becomes("echo $REBUILT", "yes");
        expect((await host.must(folder, "ps", "-q")).trim()).not.toBe(id);
        expect(await started()).toContain("Up");
      } finally {
        const ended = new Promise((resolve) => watch.child.once("exit", resolve));
        watch.child.kill("SIGINT");
        await ended;
      }
      await host.must(folder, "down", "-v", "-t", "0");
    }),
    120_000,
  );
});
