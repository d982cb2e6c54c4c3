/** `watch` and `up --watch`: what reaches which container, what is told, and that it goes on. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { inBackground } from "../../helpers/background.js";
import { eventually } from "../../helpers/host.js";
import { dockerIo, type Scenario, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };
const file = (s: Scenario, path: string, text: string) => writeFileSync(join(s.folder, path), text);
const cat = async (s: Scenario, service: string, path: string) =>
  (await s.host.run(s.folder, ["exec", "-T", service, "cat", path])).stdout;
const becomes = (s: Scenario, service: string, path: string, text: string, output: () => string) =>
  eventually(async () => (await cat(s, service, path)) === text, 30_000).catch(async () => {
    throw new Error(`${service}:${path} is ${JSON.stringify(await cat(s, service, path))}\n${output()}`);
  });

scenario(
  "watch-exited",
  "sync+restart reaches a container that has exited, and takes away what is gone",
  async (s) => {
    await using up = inBackground(s.host, s.folder, ["up", "--watch", "--no-color"]);
    await eventually(() => up.stdout().includes("ex-1 exited with code 0"));
    file(s, "src/two", "2\n");
    await eventually(() => /ex-1 +\| one two\n/.test(up.stdout()));
    expect(up.stdout()).toMatch(/⦿ service\(s\) \["ex"\] restarted/);
    await eventually(() => count(up.stdout(), "ex-1 exited") === 2);
    renameSync(join(s.folder, "src/one"), join(s.folder, "elsewhere"));
    await eventually(() => /ex-1 +\| two\n/.test(up.stdout()));
    expect(await up.interrupt()).toBe(130);
  },
  {
    ...both,
    files: {
      "src/one": "1\n",
      "compose.yaml": `services:
  run: {image: "alpine:3.20", init: true, command: sleep 1000}
  ex:
    image: alpine:3.20
    command: sh -c 'echo $$(ls /w)'
    develop: {watch: [{path: ./src, target: /w, action: sync+restart, initial_sync: true}]}
`,
    },
  },
);

const count = (text: string, wanted: string) => text.split(wanted).length - 1;

scenario(
  "watch-first-sync",
  "the first sync leaves out what describes build and project, and says that x-initialSync is old",
  async (s) => {
    await using up = inBackground(s.host, s.folder, ["up", "--watch"]);
    await eventually(() => up.output().includes("Attaching to"));
    const list = "cd /var/www && find . -type f | sort";
    await eventually(async () => {
      const found = await s.host.run(s.folder, ["exec", "-T", "php", "sh", "-c", list]);
      return found.stdout === "./dir1/foo.txt\n./index.php\n";
    });
    // the files are there before the service begins
    await eventually(() => up.stdout().includes("SAW index.php"));
    expect(up.stderr()).toContain("x-initialSync is DEPRECATED, please use the official `initial_sync` attribute");
    expect(up.stdout()).not.toContain("Syncing");
  },
  {
    ...both,
    files: {
      "docker/php/Dockerfile": "FROM alpine\nRUN mkdir -p /var/www\n",
      "docker/php/Dockerfile.dockerignore": "vendor\n*.log\n",
      ".dockerignore": "nothing\n",
      "index.php": "ok\n",
      "x.log": "l\n",
      "dir1/foo.txt": "a\n",
      "vendor/v": "v\n",
      "compose.yaml": `services:
  php:
    init: true
    command: sh -c 'cd /var/www; echo SAW *.php; exec sleep 1000'
    build: {context: ., dockerfile: docker/php/Dockerfile}
    develop: {watch: [{action: sync, path: ., target: /var/www, x-initialSync: true}]}
`,
    },
  },
);

scenario(
  "watch-rebuild-equal",
  "a rebuild that gives an equal image makes the container anew, with the environment of now",
  async (s) => {
    await s.ok("up", "-d", "--build");
    await using watch = inBackground(s.host, s.folder, ["watch", "--no-up"]);
    await eventually(() => watch.stdout().includes("Watch enabled"));
    const [before] = await s.ids("app");
    file(s, ".env", "A=2\n");
    await eventually(async () => {
      const [now] = await s.ids("app");
      return now !== undefined && now !== before && (await s.inside("app", "sh", "-c", "echo $A")) === "2\n";
    }, 30_000);
    expect(watch.stdout()).toContain('Rebuilding service(s) ["app"] after changes were detected...');
    expect(watch.stdout()).toContain('service(s) ["app"] successfully built');
  },
  {
    ...both,
    files: {
      ".env": "A=1\n",
      "compose.yaml": `services:
  app:
    build: {dockerfile_inline: FROM alpine}
    init: true
    command: sleep 1000
    environment: {A: "\${A}"}
    develop: {watch: [{action: rebuild, path: .env}]}
`,
    },
  },
);

scenario(
  "watch-link",
  "a sync into a folder that is a link in the container goes through the link",
  async (s) => {
    mkdirSync(join(s.folder, "data"));
    mkdirSync(join(s.folder, "staged"));
    file(s, "staged/hello.txt", "hello\n");
    await using up = inBackground(s.host, s.folder, ["up", "--watch"]);
    await eventually(() => up.stdout().includes("MADE"));
    renameSync(join(s.folder, "staged"), join(s.folder, "data/sub"));
    await becomes(s, "app", "/var/sub/hello.txt", "hello\n", up.output);
    await s.inside("app", "test", "-L", "/app/data/sub");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  app:
    image: alpine:3.20
    init: true
    command: sh -c 'mkdir -p /app/data /var/sub && ln -s /var/sub /app/data/sub && echo MADE && sleep 1000'
    develop: {watch: [{action: sync, path: ./data, target: /app/data}]}
`,
    },
  },
);

scenario(
  "watch-early",
  "a change right after the word that it attaches is synced, and a command's output is shown as it is",
  async (s) => {
    await using up = inBackground(s.host, s.folder, ["up", "--watch"]);
    await eventually(() => up.output().includes("Attaching to"));
    file(s, "A.test", "early\n");
    await becomes(s, "a", "/data/A.test", "early\n", up.output);
    await eventually(() => up.stdout().split("\n").includes("SUCCESS"));
    expect(up.output().indexOf("Watch enabled")).toBeLessThan(up.output().indexOf("Attaching to"));
    expect(up.stdout()).toMatch(/⦿ Syncing service "a" after 1 changes were detected/);
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  a:
    image: alpine:3.20
    init: true
    command: sleep 1000
    develop:
      watch: [{path: ., include: A.*, target: /data/, action: sync+exec, exec: {command: echo SUCCESS}}]
`,
    },
  },
);

for (const named of [[], ["a"]] as const) {
  scenario(
    `watch-goes-on-${named.length}`,
    `up --build --watch ${named.join(" ")} goes on after a rebuild that replaces all that it shows`,
    async (s) => {
      await using up = inBackground(s.host, s.folder, ["up", "--build", "--watch", ...named]);
      await eventually(() => up.stdout().includes("a-1  | BEGUN one"), 60_000);
      for (const text of ["two", "three"]) {
        file(s, "test", `${text}\n`);
        await eventually(() => up.stdout().includes(`a-1  | BEGUN ${text}`), 60_000);
        if (named.length === 0) await eventually(() => up.stdout().includes(`b-1  | BEGUN ${text}`), 60_000);
      }
      expect(up.code()).toBeUndefined();
      expect((await s.rows()).filter(({ State }) => State !== "running")).toEqual([]);
      expect(await up.interrupt()).toBe(130);
      expect((await s.rows()).filter(({ State }) => State !== "exited")).toEqual([]);
    },
    {
      ...both,
      timeoutMs: 180_000,
      files: {
        test: "one\n",
        "compose.yaml": [
          "services:",
          ...["a", "b"].map(
            (name) => `  ${name}:
    build: {dockerfile_inline: "FROM alpine\\nCOPY test /test\\n"}
    init: true
    command: sh -c 'echo BEGUN $$(cat /test); sleep 1000'
    stop_grace_period: 1s
    develop: {watch: [{path: test, action: rebuild}]}`,
          ),
        ].join("\n"),
      },
    },
  );
}
