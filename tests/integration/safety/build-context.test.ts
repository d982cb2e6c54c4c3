/** Build contexts of strangers, through the program, as root and as a user: links, fifos, devices, endless patterns. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Mode, TestHost, TSCOMPOSE } from "../../helpers/host.js";
import { startPeer } from "../images/fixtures.js";

const SECRET = "root:$y$secret-of-this-machine";

describe.each<Mode>(["root", "user"])("as %s", (mode) => {
  let host: TestHost;
  let outside = "";
  beforeAll(() => {
    host = new TestHost(mode);
    outside = host.project("outside", { shadow: `${SECRET}:1:2\n`, Dockerfile: "FROM scratch\nLABEL out=side\n" });
  });
  afterAll(async () => await host[Symbol.asyncDispose]());
  let count = 0;
  const context = (files: Record<string, string>, links: Record<string, string> = {}): string => {
    const folder = host.project(`context${count++}`, files);
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
    return folder;
  };
  const build = (folder: string, ...args: string[]) => host.run(folder, ["image", "build", ...args, "."]);

  test.each([
    ["an absolute link", { Dockerfile: "OUT/shadow" }, []],
    ["a relative link", { Dockerfile: "../outside/shadow" }, []],
    ["a linked folder", { docker: "OUT" }, ["-f", "docker/shadow"]],
    ["a device", { Dockerfile: "/dev/zero" }, []],
    ["the environment", { Dockerfile: "/proc/self/environ" }, []],
  ])("a Dockerfile behind %s is refused, and nothing of it is told", async (_, links, args) => {
    const real = Object.fromEntries(Object.entries(links).map(([name, to]) => [name, to.replace("OUT", outside)]));
    const { code, stdout, stderr } = await host.run(context({}, real), ["image", "build", ...args, "."], {
      env: { LEAK: SECRET },
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("leads out of the build context")]);
    expect(stdout + stderr).not.toContain("secret-of-this-machine");
  });

  test("links that stay inside are followed", async () => {
    const folder = context({ "docker/real": "FROM scratch\nCOPY a /\n", a: "a" }, { Dockerfile: "docker/real" });
    expect((await build(folder)).stderr).not.toContain("error");
  });

  test("a Dockerfile outside is a person's choice, but no other file is quoted", async () => {
    const folder = context({ "compose.yaml": "services: {a: {build: {context: ., dockerfile: ../outside/shadow}}}\n" });
    expect((await build(folder, "-f", "../outside/Dockerfile")).code).toBe(0);
    const composed = await host.run(folder, ["build"]);
    expect([composed.code, composed.stderr]).toEqual([1, expect.stringContaining("does not begin with FROM or ARG")]);
    expect(composed.stderr).not.toContain("secret-of-this-machine");
  });

  test("fifos and huge files are refused at once", async () => {
    for (const [name, files] of [
      ["Dockerfile", {}],
      [".dockerignore", { Dockerfile: "FROM scratch\n" }],
    ] as const) {
      const folder = context(files);
      execFileSync("mkfifo", [join(folder, name)]);
      const { code, stderr } = await build(folder);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`${name} is not a file`)]);
    }
    const fifo = join(outside, "fifo");
    execFileSync("mkfifo", [fifo]);
    expect((await build(context({}), "-f", fifo)).stderr).toContain("is not a file that can be read");
    const large = context({ Dockerfile: `FROM scratch\n#${"x".repeat(4 << 20)}\n` });
    expect((await build(large)).stderr).toContain("is larger than 4 MiB");
  });

  test("patterns that used to try again for ever are matched", async () => {
    const bomb = `${"**/*a".repeat(60)}b`;
    const files = { Dockerfile: `FROM scratch\nCOPY ${"*a".repeat(50)}* /\n`, ".dockerignore": bomb };
    const { code, stderr } = await build(context({ ...files, ["a".repeat(200)]: "" }));
    expect([code, stderr]).toEqual([0, expect.stringContaining("Built")]);
  });

  test.each(["gzip", "bzip2", "zstd"])(
    "ADD of an archive that %s has shrunk beyond belief is refused",
    async (packer) => {
      const folder = context({ Dockerfile: "FROM scratch\nADD bomb /b/\n" });
      const script = `head -c 400M /dev/zero > z && tar c z | ${packer} -c > bomb && rm z`;
      execFileSync("sh", ["-c", script], { cwd: folder });
      const { code, stderr } = await build(folder);
      expect([code, stderr]).toEqual([1, expect.stringContaining("unpacks to more than 268435456 bytes")]);
    },
  );

  test("paths that take minutes to normalise are refused", async () => {
    const long = `${"b".repeat(300_000)}/${"a/../".repeat(60_000)}x`;
    for (const step of [`WORKDIR /${long}`, `COPY Dockerfile /${long}`]) {
      const { code, stderr } = await build(context({ Dockerfile: `FROM scratch\n${step}\n` }));
      expect([code, stderr]).toEqual([1, expect.stringContaining("characters is too long")]);
    }
  });

  test("folders that look like addresses are no contexts", async () => {
    for (const place of ["git@/../../outside", "github.com/../../outside"]) {
      const folder = context({
        "compose.yaml": `services: {a: {build: {context: ., additional_contexts: {m: "${place}"}}}}\n`,
        Dockerfile: "FROM scratch\nCOPY --from=m shadow /\n",
      });
      const { code, stderr } = await host.run(folder, ["build"]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("is not supported")]);
    }
  });

  test("SIGINT ends a build that looks through a hostile context", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `**/${"*a".repeat(75)}${i}b`);
    const folder = context({
      Dockerfile: "FROM scratch\nCOPY . /\n",
      ".dockerignore": `${lines.join("\n")}\n!**/never`,
    });
    for (let i = 0; i < 4000; i++) writeFileSync(join(folder, `${"ab".repeat(100)}${i}`), "");
    mkdirSync(join(folder, "more"), { recursive: true });
    const account = host.mode === "user" ? { uid: Number(execFileSync("id", ["-u", "tsctest"])) } : {};
    const child = spawn(TSCOMPOSE, ["image", "build", "."], { cwd: folder, env: host.env, ...account });
    let text = "";
    const closed = once(child, "close");
    child.stderr.on("data", (data: Buffer) => {
      const isNew = !text.includes("[2/2] COPY");
      text += String(data);
      if (isNew && text.includes("[2/2] COPY")) child.kill("SIGINT");
    });
    const [code, signal] = await closed;
    expect([signal === "SIGINT" || code === 130, text]).toEqual([
      true,
      expect.stringContaining("interrupted by SIGINT"),
    ]);
  });

  test("SIGINT ends a build of instructions that wait for nothing", async () => {
    const wide = Array.from({ length: 7 }, (_, i) => `ENV V${i}=${"x".repeat(100_000)}\n`).join("");
    const folder = context({ Dockerfile: `FROM scratch\n${wide}${"USER a\n".repeat(49_000)}` });
    const account = host.mode === "user" ? { uid: Number(execFileSync("id", ["-u", "tsctest"])) } : {};
    const child = spawn(TSCOMPOSE, ["image", "build", "."], { cwd: folder, env: host.env, ...account });
    let text = "";
    const closed = once(child, "close");
    child.stderr.on("data", (data: Buffer) => {
      const isNew = !text.includes("] USER a");
      text += String(data);
      if (isNew && text.includes("] USER a")) child.kill("SIGINT");
    });
    const [code, signal] = await closed;
    expect([signal === "SIGINT" || code === 130, text.slice(-300)]).toEqual([
      true,
      expect.stringContaining("interrupted by SIGINT"),
    ]);
  });

  test("a line that exposes billions of ports is refused", async () => {
    const { code, stderr } = await build(
      context({ Dockerfile: `FROM scratch\nEXPOSE ${"1-65535 ".repeat(400_000)}\n` }),
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining("more than 196605 ports")]);
  });

  test("ADD reaches no link-local address, neither named nor by redirect", async () => {
    await using redirecting = await startPeer(undefined, (_, response) => {
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end();
      return true;
    });
    for (const url of ["http://169.254.169.254/token", `http://${redirecting.address}/x`]) {
      const { code, stderr } = await build(context({ Dockerfile: `FROM scratch\nADD ${url} /x\n` }));
      expect([code, stderr]).toEqual([1, expect.stringContaining("169.254.169.254 is a link-local address")]);
    }
  });
});
