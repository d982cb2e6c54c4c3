/** What a build step sees, keeps and shares: the context as it is sent, the image as it was made, each identical step once. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { TSCOMPOSE } from "../../helpers/host.js";
import { dockerIo, FOREIGN_PLATFORM, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };

scenario(
  "mounted-context",
  "a mounted context shows what the ignore file lets through, and writes to it go nowhere",
  async (s) => {
    await s.ok("build");
    await s.ok("run", "--rm", "app");
    const [whole, sub, more, cached] = s.last.stdout.trim().split("\n--\n");
    expect(whole?.split("\n")).toEqual(["./keep", "./new", "./sub/yes"]);
    expect(sub).toBe("./yes");
    expect(more).toBe("./yes");
    expect(cached).toBe("./yes");
    s.write("Excluded", "FROM alpine:3.20\nRUN --mount=type=bind,source=drop,target=/drop cat /drop\n");
    s.write("Excluded.dockerignore", "drop\n");
    s.env["FILE"] = "Excluded";
    await s.exits(1, ["build"], 'source "drop" not found');
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  app:
    image: mounted
    build: {context: ., dockerfile: "\${FILE:-Dockerfile}", additional_contexts: {more: more}}
    command: sh -c 'cat /1; echo --; cat /2; echo --; cat /3; echo --; cat /4'
`,
      Dockerfile: `FROM alpine:3.20
RUN --mount=target=/mnt,rw touch /mnt/new && cd /mnt && find . -type f | sort > /1
RUN --mount=type=bind,source=sub,target=/mnt cd /mnt && find . -type f | sort > /2
RUN --mount=type=bind,from=more,target=/mnt cd /mnt && find . -type f | sort > /3
RUN --mount=type=cache,from=more,target=/mnt cd /mnt && find . -type f | sort > /4
`,
      "Dockerfile.dockerignore": "*\n!keep\n!sub/yes\n",
      ".dockerignore": "keep\n",
      keep: "1",
      drop: "1",
      "sub/yes": "1",
      "sub/no": "1",
      "more/yes": "1",
      "more/no": "1",
      "more/.dockerignore": "no\n.dockerignore\n",
    },
  },
);

scenario(
  "made-on-purpose",
  "folders that a step makes stay in the image whatever their names, what its mounts needed does not",
  async (s) => {
    await s.ok("build");
    await s.ok("run", "--rm", "--entrypoint", "sh", "app", "-c", "ls -d /run/lock /run /kept /chosen /etc/empty");
    await s.exits(0, ["run", "--rm", "--entrypoint", "sh", "app", "-c", "cat /seen"]);
    expect(s.last.stdout.trim()).toBe("chosen etc kept run");
  },
  {
    ...both,
    files: {
      "compose.yaml": "services: {app: {image: made, build: .}}\n",
      Dockerfile: `FROM alpine:3.20 AS base
FROM scratch
COPY --from=base /bin /bin
RUN mkdir /run && mkdir -p /etc/empty /kept
RUN mkdir /run/lock
RUN --mount=type=tmpfs,target=/made/by/mount --mount=type=cache,target=/cache --mount=target=/context true
RUN --mount=type=tmpfs,target=/chosen/mount chmod 700 /chosen
FROM base
COPY --from=1 / /image/
RUN cd /image && ls -d chosen context cache dev etc kept made proc run sys 2>/dev/null | xargs > /seen
RUN mkdir -p /run/lock /kept /chosen /etc/empty
`,
    },
  },
);

const STAGES = `FROM alpine:3.20 AS base
RUN sleep 1; head -c 16 /dev/urandom | od -An -tx1 > /id
FROM base AS one
RUN cat /id; sleep 1
FROM base AS two
RUN cat /id
`;

scenario(
  "same-step",
  "services that build the same steps at the same time share them, also without a cache",
  async (s) => {
    const ids = async (): Promise<Set<string>> => {
      const all: string[] = [];
      for (const service of ["web", "worker", "beat"]) {
        all.push((await s.ok("run", "--rm", service, "cat", "/id")).stdout);
      }
      return new Set(all);
    };
    await s.ok("build");
    const first = await ids();
    expect(first.size).toBe(1);
    await s.ok("build", "--no-cache");
    const second = await ids();
    expect(second.size).toBe(1);
    expect(second).not.toEqual(first);
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  web: {build: {context: ., target: one}}
  worker: {build: {context: ., target: two}}
  beat: {build: {context: ., target: two}}
`,
      Dockerfile: STAGES,
    },
  },
);

scenario(
  "unchanged",
  "up --build of what did not change recreates nothing, in every round",
  async (s) => {
    for (let round = 0; round < 3; round++) {
      s.write("ctx/f", `${round}`);
      await s.ok("up", "-d", "--build");
      await s.keeps("web", () => s.keeps("worker", () => s.ok("up", "-d", "--build")));
    }
  },
  {
    ...both,
    timeoutMs: 180_000,
    files: {
      "compose.yaml": `services:
  web: {build: ctx, image: case31-web, command: sleep infinity, init: true}
  worker: {build: ctx, image: case31-worker, command: sleep infinity, init: true}
`,
      "ctx/Dockerfile": "FROM alpine:3.20\nCOPY f /f\nENV A=b\nRUN echo hi > /g\n",
    },
  },
);

scenario(
  "cache-stays",
  "removing an image takes no results of other builds out of the cache",
  async (s) => {
    s.env["TARGET"] = "one";
    await s.ok("build");
    await s.ok("image", "pull", "busybox:latest");
    await s.ok("image", "rm", "busybox:latest");
    s.env["TARGET"] = "two";
    await s.ok("build");
    s.env["TARGET"] = "one";
    await s.ok("--progress", "plain", "build");
    expect(s.last.stdout.match(/^#\d+ \[.*\] RUN .*\n#\d+ (?!CACHED)/gm)).toBeNull();
  },
  {
    files: {
      "compose.yaml": 'services: {app: {build: {context: ., target: "${TARGET}"}}}\n',
      Dockerfile: `FROM alpine:3.20 AS made
RUN echo made > /made
FROM alpine:3.20 AS one
COPY --from=made /made /made
RUN echo one
FROM alpine:3.20 AS two
RUN echo two
`,
    },
  },
);

scenario(
  "growing-context",
  "files that grow, are cut or come and go while they are read are built with what was read",
  async (s) => {
    const script = `(while [ -e busy ]; do echo line >> app.log; done) & writer=$!
      (while [ -e busy ]; do echo x > z.$RANDOM; sleep 0.2; rm -f z.*; sleep 0.5; done) & comer=$!
      (while [ -e busy ]; do seq 2000 > cut.log; : > cut.log; sleep 0.05; done) & cutter=$!
      code=0; for i in 1 2 3 4 5; do "$0" build || code=$?; done; rm busy; wait $writer $cutter $comer; exit $code`;
    s.write("busy", "");
    const result = await s.host.exec(s.folder, ["bash", "-c", script, TSCOMPOSE], { env: s.env });
    expect([result.code, result.stderr]).toEqual([0, result.stderr]);
    appendFileSync(join(s.folder, "app.log"), "the end\n");
    await s.ok("build");
    await s.ok("run", "--rm", "app", "tail", "-n", "1", "/ctx/app.log");
    expect(s.last.stdout.trim()).toBe("the end");
  },
  {
    ...both,
    files: {
      "compose.yaml": "services: {app: {build: .}}\n",
      Dockerfile: "FROM alpine:3.20\nCOPY . /ctx/\n",
      "app.log": "begin\n",
      "big.bin": "0123456789abcdef".repeat(1 << 20),
    },
  },
);

scenario(
  "build-and-rmi",
  "builds never fail because other commands remove images of equal content",
  async (s) => {
    const script = `loop() { for i in 1 2 3 4 5 6; do IMAGE=$1 "$0" -p $1 build >out.$1 2>&1 || { cat out.$1; failed=1; }
      "$0" image rm -f $1 >/dev/null 2>&1; done; exit \${failed:-0}; }
      (loop case43a) & a=$!; (loop case43b) & b=$!; (loop case43c) & c=$!; code=0; for p in $a $b $c; do wait $p || code=1; done; exit $code`;
    const result = await s.host.exec(s.folder, ["bash", "-c", script, TSCOMPOSE], { env: s.env });
    expect(result).toMatchObject({ code: 0, stdout: "" });
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  app:
    image: "\${IMAGE:-case43}"
    build:
      dockerfile_inline: |
        FROM alpine:3.20
        RUN echo one > /one
        ENV WHEREAMI=Dockerfile
`,
    },
  },
);

scenario(
  "foreign-base",
  "a build for another platform moves no name of its bases, and both platforms stay in the store",
  async (s) => {
    const ids = async (): Promise<string[]> => {
      const { stdout } = await s.ok("image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}");
      return stdout.split("\n").filter((line) => line.startsWith("alpine:3.20 "));
    };
    await s.ok("image", "pull", "-q", "alpine:3.20");
    await s.ok("up", "-d", "plain");
    const before = await ids();
    expect(before).toHaveLength(1);
    await s.ok("build", "built");
    await s.keeps("plain", () => s.ok("up", "-d", "plain"));
    expect(await ids()).toEqual(expect.arrayContaining(before));
    const built = JSON.parse((await s.ok("image", "inspect", "case23-built")).stdout)[0];
    expect(`${built.Os}/${built.Architecture}`).toBe(FOREIGN_PLATFORM);

    await s.ok("pull", "foreign", "plain");
    expect(await ids()).toHaveLength(2);
    await s.keeps("plain", () => s.ok("up", "-d", "plain"));
    await s.ok("create", "foreign");
    const [native, other] = [(await s.of("plain"))[0], (await s.of("foreign"))[0]];
    const image = async (name = "") => (await s.inspect(name))["Image"];
    expect(await image(native?.Name)).not.toBe(await image(other?.Name));
    // another name stands for both, too
    await s.ok("image", "tag", "alpine:3.20", "other:1");
    const architecture = async (name: string, ...more: string[]) =>
      (await s.ok("container", "create", ...more, "--name", name, "other:1")).stdout.trim();
    const made = [await architecture("case23-own"), await architecture("case23-other", "--platform", FOREIGN_PLATFORM)];
    expect(await image(made[0])).toBe(await image(native?.Name));
    expect(await image(made[1])).toBe(await image(other?.Name));
    await s.ok("container", "rm", ...made);
    await s.ok("image", "rm", "other:1");
    await s.ok("image", "rm", "other:1");
    // one name after the other, and nothing is left of either
    await s.ok("down");
    await s.ok("image", "rm", "alpine:3.20");
    expect(await ids()).toHaveLength(1);
    await s.ok("image", "rm", "alpine:3.20");
    expect(await ids()).toEqual([]);
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  built:
    image: case23-built
    platform: ${FOREIGN_PLATFORM}
    build: {dockerfile_inline: "FROM alpine:3.20\\nLABEL x=y\\n"}
  plain: {image: "alpine:3.20", init: true, command: sleep infinity}
  foreign: {image: "alpine:3.20", platform: ${FOREIGN_PLATFORM}}
`,
    },
  },
);

const PLATFORMS = (more: string) => `services:
  platforms:
    image: build-test-platform:test
${more}
`;

scenario(
  "platform-checks",
  "platforms that do not fit together are refused in docker compose's words, those listed are all built",
  async (s) => {
    s.env["DOCKER_DEFAULT_PLATFORM"] = "windows/amd64";
    const wrongDefault =
      'service "platforms" build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: windows/amd64';
    await s.exits(1, ["build"], wrongDefault);
    await s.exits(1, ["up", "-d", "--build"], wrongDefault);
    delete s.env["DOCKER_DEFAULT_PLATFORM"];
    await s.exits(
      1,
      ["-f", "wrong.yaml", "build"],
      'service.build.platforms MUST include service.platform "linux/riscv64"',
    );
    await s.exits(1, ["-f", "unsupported.yaml", "build"], "no match for platform");

    await s.ok("build");
    await s.ok("image", "ls", "--format", "{{.Repository}} {{.ID}}");
    expect(s.last.stdout.match(/^build-test-platform /gm)).toHaveLength(2);
    const architecture = async () =>
      JSON.parse((await s.ok("image", "inspect", "build-test-platform:test")).stdout)[0].Architecture;
    const own = process.arch === "x64" ? "amd64" : process.arch;
    expect(await architecture()).toBe(own);
    await s.ok("up", "--build", "--menu=false");
    expect(await architecture()).toBe(own);
  },
  {
    ...both,
    files: {
      "compose.yaml": PLATFORMS("    build: {context: ., platforms: [linux/arm64, linux/amd64]}"),
      "wrong.yaml": PLATFORMS(
        "    platform: linux/riscv64\n    build: {context: ., platforms: [linux/amd64, linux/arm64]}",
      ),
      "unsupported.yaml": PLATFORMS("    build: {context: ., platforms: [unsupported/unsupported, linux/amd64]}"),
      Dockerfile: "FROM alpine:3.20\nLABEL a=b\n",
    },
  },
);

scenario(
  "build-log",
  "the log of a build goes to standard output, with its tabs and the values of its variables",
  async (s) => {
    await s.ok("--progress", "plain", "build");
    expect(s.last.stdout).toMatch(/^#\d+ \[\S+ \d+\/\d+\] RUN printf "a\\tb\\n" > \/dev\/stdout && echo v1 \$UNSET$/m);
    expect(s.last.stdout).toMatch(/^#\d+ [\d.]+ a\tb$/m);
    expect(s.last.stdout).toMatch(/^#\d+ [\d.]+ {3}x {2}y$/m);
    expect(s.last.stdout).toMatch(/^#\d+ DONE [\d.]+s$/m);
    expect(s.last.stdout).toMatch(
      /^#(\d+) exporting to image\n#\1 writing image sha256:[0-9a-f]{64} done\n#\1 naming to docker.io\/library\/build-log-a:latest done\n#\1 DONE [\d.]+s$/m,
    );
    expect(s.last.stderr).not.toContain("printf");
    await s.ok("--progress", "plain", "build");
    expect(s.last.stdout).toMatch(/^#\d+ CACHED$/m);
    await s.exits(1, ["-f", "bad.yaml", "--progress", "plain", "build"]);
    expect(s.last.stdout).toMatch(/^#\d+ ERROR: .*exit code: 4/m);
  },
  {
    files: {
      "compose.yaml": "services: {a: {build: {context: ., args: {V: v1}}}}\n",
      Dockerfile: `FROM alpine:3.20
ARG V
RUN printf "a\\tb\\n" > /dev/stdout && echo $V $UNSET
RUN echo "  x  y"
`,
      "bad.yaml": 'services: {a: {build: {dockerfile_inline: "FROM alpine:3.20\\nRUN exit 4\\n"}}}\n',
    },
  },
);

scenario(
  "cancelled-build",
  "Ctrl-C ends a build with 130 and leaves nothing of its step",
  async (s) => {
    const script = `"$0" --progress plain build >out 2>err & pid=$!
      until grep -q "RUN sleep infinity" out; do sleep 0.2; done; sleep 1; kill -INT $pid; wait $pid; exit $?`;
    const { code } = await s.host.exec(s.folder, ["bash", "-c", script, TSCOMPOSE], { env: s.env });
    expect(code).toBe(130);
    await s.ok("container", "ls", "-aq");
    expect(s.last.stdout).toBe("");
  },
  {
    ...both,
    files: {
      "compose.yaml": 'services: {s: {build: {dockerfile_inline: "FROM alpine:3.20\\nRUN sleep infinity\\n"}}}\n',
    },
  },
);
