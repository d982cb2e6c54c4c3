/** The builder on the real engine: needs root, an OCI runtime, conmon and a static busybox. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type BuildRequest, type Engine, openEngine } from "../../../src/engine/index.js";
import type { ImageInfo, ProgressEvent } from "../../../src/engine/types.js";

const BUSYBOX = "/bin/busybox";
const why = process.getuid?.() !== 0 ? "not root" : existsSync(BUSYBOX) ? "" : "no static busybox";
const suite = why === "" ? describe : describe.skip;
if (why !== "") console.warn(`builder tests are skipped: ${why}`);

suite("the builder", () => {
  let base: string;
  let engine: Engine;

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), "tsc-build-"));
    engine = await openEngine({
      root: join(base, "root"),
      runRoot: join(base, "run"),
      env: { PATH: process.env.PATH },
    });
    await build(
      {
        Dockerfile:
          'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox","--install","-s","/bin"]\nRUN mkdir -p /etc /tmp && chmod 1777 /tmp && echo "app:x:7:8::/:/bin/sh" > /etc/passwd && ln -s /etc /conf\n',
      },
      { tags: ["base:1"] },
      true,
    );
  }, 60_000);

  afterAll(async () => {
    await engine?.close();
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(base));
    rmSync(base, { recursive: true, force: true });
    expect(mounts).toEqual([]);
  });

  let count = 0;
  const context = (files: Readonly<Record<string, string>>, withBusybox = false): string => {
    const folder = join(base, `ctx${count++}`);
    mkdirSync(folder);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    if (withBusybox) cpSync(BUSYBOX, join(folder, "busybox"));
    return folder;
  };
  const events: ProgressEvent[] = [];
  async function build(
    files: Readonly<Record<string, string>>,
    request: Partial<BuildRequest> = {},
    withBusybox = false,
  ): Promise<ImageInfo> {
    events.length = 0;
    return await engine.images.build({
      context: context(files, withBusybox),
      tags: ["out:1"],
      onProgress: (event) => events.push(event),
      ...request,
    });
  }
  const output = (): string => events.flatMap((event) => (event.type === "build-output" ? event.text : [])).join("\n");
  const run = async (image: string, script: string): Promise<string> => {
    await build({ Dockerfile: `FROM ${image}\nUSER 0\nRUN ${script}\n` }, { tags: [], noCache: true });
    return output();
  };
  const failure = async (
    work: Promise<unknown>,
  ): Promise<{ code: string; message: string; where?: { line: number } }> =>
    await work.then(
      () => ({ code: "no error", message: "" }),
      (error: unknown) => error as { code: string; message: string },
    );

  test("an unchanged rebuild runs nothing and gives the same image", async () => {
    const files = {
      Dockerfile: 'FROM base:1\nARG V=1\nENV A=$V\nWORKDIR /w\nCOPY f .\nRUN date +%N > /now\nCMD ["x"]\n',
      f: "1",
    };
    const first = await build(files);
    const second = await build(files);
    expect({ ...second, lastTaggedAt: first.lastTaggedAt }).toEqual(first);
    expect(
      events
        .filter((event) => event.type === "build-step" && !event.cached)
        .map((event) => event.type === "build-step" && event.text),
    ).toEqual(["FROM base:1", "ARG V=1"]);
    const third = await build({ ...files, f: "2" });
    expect(third.id).not.toBe(first.id);
    const other = await build(files, { args: { V: "2" } });
    expect(other.config.env).toContain("A=2");
    expect(other.id).not.toBe(first.id);
  }, 60_000);

  test("COPY puts files where docker puts them, through links of the image, and keeps folders' modes", async () => {
    await build({
      Dockerfile:
        "FROM base:1\nWORKDIR /w\nCOPY a.txt b/ dir\nCOPY a.txt /conf/\nCOPY --chown=app --chmod=640 a.txt /tmp/owned\nCOPY b /tmp/\nCOPY *.txt /glob/\n",
      "a.txt": "A",
      "b/c": "C",
      "b/d/e": "E",
    }).then(
      () => expect("no error").toBe("an error"),
      (error: Error) => expect(error.message).toContain("the destination must be a directory and end with a /"),
    );
    await build({
      Dockerfile:
        "FROM base:1\nWORKDIR /w\nCOPY a.txt b/ dir/\nCOPY a.txt /conf/\nCOPY --chown=app --chmod=640 a.txt /tmp/owned\nCOPY b /tmp/\nCOPY *.txt /glob/\n",
      "a.txt": "A",
      "b/c": "C",
      "b/d/e": "E",
    });
    const seen = await run(
      "out:1",
      "cat /w/dir/a.txt /w/dir/c /w/dir/d/e /etc/a.txt /tmp/d/e /glob/a.txt; echo; stat -c '%a %u:%g %n' /tmp /tmp/owned /conf /etc/passwd",
    );
    expect(seen.split("\n")).toEqual([
      "ACEAEA",
      "1777 0:0 /tmp",
      "640 7:8 /tmp/owned",
      "777 0:0 /conf",
      "644 0:0 /etc/passwd",
    ]);
  }, 60_000);

  test("stages are built only when needed, and COPY --from keeps owners", async () => {
    const info = await build({
      Dockerfile:
        "FROM base:1 AS unused\nRUN exit 3\nFROM base:1 AS made\nRUN mkdir /o && echo hi > /o/f && chown 5:6 /o/f\nFROM base:1 AS final\nCOPY --from=made /o /p\nCOPY --from=base:1 /etc/passwd /passwd2\nRUN stat -c '%u:%g' /p/f && cat /passwd2\n",
    });
    expect(output()).toBe("5:6\napp:x:7:8::/:/bin/sh");
    expect(info.diffIds).toHaveLength(6);
    expect((await failure(build({ Dockerfile: "FROM base:1 AS x\n" }, { target: "y" }))).code).toBe("TSC_BUILD_TARGET");
  }, 60_000);

  test("a failing RUN says so with its place and leaves nothing", async () => {
    const error = await failure(build({ Dockerfile: "FROM base:1\n\nRUN false\n" }));
    expect(error).toMatchObject({
      code: "TSC_BUILD_FAILED",
      message: 'process "/bin/sh -c false" did not complete successfully: exit code: 1',
      where: { line: 3 },
    });
    expect(await engine.containers.list()).toEqual([]);
    expect(
      execFileSync(
        "ls",
        [join(base, "run/rootfs"), join(base, "root/storage/tmp"), join(base, "root/storage/containers")],
        { encoding: "utf8" },
      ).match(/^\w.*[^:]$/gm),
    ).toBeNull();
  }, 60_000);

  test("a cancelled build kills its process and leaves nothing", async () => {
    const abort = new AbortController();
    const done = failure(
      build(
        { Dockerfile: "FROM base:1\nRUN echo up; sleep 300\n" },
        {
          signal: abort.signal,
          onProgress: (event) => {
            if (event.type === "build-output") abort.abort();
          },
        },
      ),
    );
    expect((await done).message).toMatch(/abort/i);
    expect(await engine.containers.list()).toEqual([]);
  }, 60_000);

  test("mistakes are named with their place before anything runs", async () => {
    const error = await failure(build({ Dockerfile: "FROM base:1\nFORM x\nRUN --mount=type=foo x\n" }));
    expect(error.message).toBe(
      'Dockerfile:2: unknown instruction: FORM (did you mean FROM?)\nDockerfile:3: RUN: unsupported mount type "foo"',
    );
    expect((await failure(build({ Dockerfile: "FROM base:1\nCOPY nothing /x\n" }))).message).toContain(
      'Dockerfile:2: COPY: "nothing": not found',
    );
  }, 60_000);

  test("sources never leave the context, also through links and dots", async () => {
    const folder = context({ Dockerfile: "FROM base:1\nCOPY out /x\n" });
    symlinkSync("/etc/shadow", join(folder, "out"));
    expect((await failure(engine.images.build({ context: folder, tags: [] }))).message).toContain("not found");
    const dots = await failure(build({ Dockerfile: "FROM base:1\nCOPY ../../../../etc/shadow /x\n" }));
    expect(dots.message).toContain("not found");
  }, 60_000);

  test(".dockerignore hides files, and exceptions bring them back", async () => {
    await build({
      Dockerfile: "FROM base:1\nCOPY . /c/\nRUN cd /c && find . -type f | sort\n",
      ".dockerignore": "# no\n*.log\n**/node_modules\ndir\n!dir/keep\nDockerfile\n",
      "a.log": "",
      "b/c.log": "",
      "b/node_modules/x": "",
      "dir/keep": "",
      "dir/lose": "",
    });
    expect(output()).toBe("./.dockerignore\n./b/c.log\n./dir/keep");
  }, 60_000);

  test("mounts give caches, binds and secrets to one RUN and leave no trace in the layer", async () => {
    const dockerfile = [
      "FROM base:1 AS lib",
      "RUN echo lib > /lib.txt",
      "FROM base:1",
      "RUN --mount=type=cache,target=/cache,id=../../x echo 1 >> /cache/n",
      "RUN --mount=type=cache,target=/cache,id=../../x --mount=type=secret,id=tok,required=true --mount=type=bind,from=lib,source=/lib.txt,target=/mnt/l --mount=type=bind,source=.,target=/ctx --mount=type=tmpfs,target=/t cat /cache/n /run/secrets/tok /mnt/l /ctx/f",
      "RUN ls -d /cache /run/secrets/tok /mnt /ctx /t 2>/dev/null; true",
    ].join("\n");
    const info = await build({ Dockerfile: dockerfile, f: "F\n" }, { secrets: [{ id: "tok", content: "s3cret\n" }] });
    expect(output()).toBe("lib\n1\ns3cret\nlib\nF".slice(4));
    expect(JSON.stringify(info)).not.toContain("s3cret");
    const missing = await failure(
      build({ Dockerfile: "FROM base:1\nRUN --mount=type=secret,id=no,required=true true\n" }),
    );
    expect(missing.code).toBe("TSC_BUILD_SECRET");
  }, 60_000);

  test("ADD unpacks local archives below the destination and nowhere else", async () => {
    const folder = context({
      Dockerfile:
        "FROM base:1\nADD a.tar.gz b.tar.xz plain.txt /u/\nRUN cd /u && find . | sort; ls -d /evil /x 2>/dev/null; true\n",
      "plain.txt": "p",
      "in/one": "1",
      "in2/two": "2",
    });
    execFileSync("tar", [
      "-C",
      join(folder, "in"),
      "-czf",
      join(folder, "a.tar.gz"),
      "--transform",
      "s,^one$,../../evil,",
      "-P",
      "one",
    ]);
    execFileSync("tar", ["-C", join(folder, "in2"), "-cJf", join(folder, "b.tar.xz"), "."]);
    events.length = 0;
    await engine.images.build({ context: folder, tags: [], onProgress: (event) => events.push(event) });
    expect(output()).toBe(".\n./evil\n./plain.txt\n./two");
  }, 60_000);

  test("metadata follows docker's rules", async () => {
    await build(
      {
        Dockerfile:
          'FROM base:1\nONBUILD COPY f /onbuild\nONBUILD ENV O=1\nCMD ["base"]\nHEALTHCHECK --interval=5s --retries=2 CMD true\n',
      },
      { tags: ["parent:1"] },
    );
    const info = await build(
      {
        Dockerfile:
          'FROM parent:1\nENTRYPOINT exec $X\nEXPOSE 80 90-91/udp\nVOLUME /v\nSTOPSIGNAL SIGINT\nLABEL a=1 "b c"=\'d e\'\nSHELL ["/bin/busybox","sh","-c"]\nRUN cat /onbuild\nUSER app\n',
        f: "triggered",
      },
      { labels: { extra: "yes" } },
    );
    expect(output()).toBe("triggered");
    expect(info.config).toMatchObject({
      command: [],
      entrypoint: ["/bin/sh", "-c", "exec $X"],
      exposedPorts: ["80/tcp", "90/udp", "91/udp"],
      volumes: ["/v"],
      stopSignal: "SIGINT",
      labels: { a: "1", "b c": "d e", extra: "yes" },
      shell: ["/bin/busybox", "sh", "-c"],
      user: "app",
      onBuild: [],
      healthcheck: { test: ["CMD-SHELL", "true"], intervalMs: 5000, retries: 2 },
    });
    expect(info.config.env).toContain("O=1");
  }, 60_000);

  test("here-documents become files and scripts", async () => {
    await build({
      Dockerfile:
        "FROM base:1\nENV W=world\nCOPY <<A <<'B' /h/\nhello $W\nA\nhello $W\nB\nRUN <<X\nset -e\ncat /h/A /h/B\nX\nRUN <<Y\n#!/bin/busybox sh\necho script $0\nY\nRUN cat <<Z > /z && cat /z\nzed\nZ\n",
    });
    expect(output()).toBe("hello world\nhello $W\nscript /dev/pipes/Y\nzed");
  }, 60_000);

  test("inline Dockerfiles, additional contexts and networks", async () => {
    const extra = context({ g: "G" });
    const info = await engine.images.build({
      context: context({}),
      dockerfileInline: "FROM base\nCOPY --from=more g /g\nRUN --network=none cat /g; ls /sys/class/net\n",
      additionalContexts: { more: extra, base: "docker-image://base:1" },
      tags: ["inline:1"],
      onProgress: (event) => events.push(event),
    });
    expect(info.tags).toEqual(["docker.io/library/inline:1"]);
    expect(output()).toContain("Glo");
  }, 60_000);

  test("a RUN has the host's network or every capability only when the caller grants it, cached or not", async () => {
    const steps = (run: string) => ({ Dockerfile: `FROM base:1\nRUN ${run}\n` });
    const network = steps("--network=host ls -l /proc/self/ns/net");
    const insecure = steps("--security=insecure grep CapEff /proc/self/status");
    const fails = async (files: Readonly<Record<string, string>>, request: Partial<BuildRequest> = {}) => {
      const { code, where } = await failure(build(files, request));
      expect(events.filter((event) => event.type === "build-output")).toEqual([]);
      return { code, line: where?.line };
    };
    const refused = { code: "TSC_BUILD_ENTITLEMENT", line: 2 };
    expect(await fails(network)).toEqual(refused);
    expect(await fails(insecure)).toEqual(refused);
    expect(await fails(insecure, { network: "host", allow: ["network.host"] })).toEqual(refused);
    await build(network, { allow: ["network.host"] });
    expect(output()).toContain(readlinkSync("/proc/self/ns/net"));
    await build(insecure, { allow: ["security.insecure"] });
    expect(output()).toMatch(/CapEff:\s0*1ff/);
    // a step that was run with the grant is in the cache now
    expect(await fails(network)).toEqual(refused);
    expect(await fails(insecure)).toEqual(refused);
    expect((await failure(build(steps("true"), { network: "container:x" }))).code).toBe("TSC_BUILD_UNSUPPORTED");
    await build({ Dockerfile: "FROM base:1\nONBUILD RUN --network=host true\n" }, { tags: ["trigger:1"] });
    expect((await failure(build({ Dockerfile: "FROM trigger:1\n" }))).code).toBe("TSC_BUILD_ENTITLEMENT");
  }, 60_000);
});
