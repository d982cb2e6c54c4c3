/** `config --hash` follows the newest docker compose, whose hash of a service is that of the container `up` would make. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { runProgram } from "../../../src/cli/program.js";
import { loadProject, nodeFs } from "../../../src/compose/index.js";
import { serviceHash } from "../../../src/plan/hash.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-hash-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function hash(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const text = { out: "", err: "" };
  const into = (key: "out" | "err") =>
    new Writable({
      write(chunk, _encoding, done) {
        text[key] += String(chunk);
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await runProgram(["config", ...words], {
    env: { HOME: folder, PATH: process.env["PATH"], ...env },
    cwd: folder,
    stdin: process.stdin,
    stdout: into("out"),
    stderr: into("err"),
    onSignal: () => () => undefined,
    exit: (status) => {
      throw new Error(`exit ${status}`);
    },
  });
  return { code, ...text };
}

const write = (yaml: string) => writeFileSync(join(folder, "compose.yaml"), yaml);
async function wanted(service: string, change = {}): Promise<string> {
  const project = await loadProject({ cwd: folder, env: { HOME: folder }, fs: nodeFs, services: [service] });
  const config = project.services[service];
  if (config === undefined) throw new Error(service);
  return `${service} ${serviceHash({ ...config, ...change })}\n`;
}

test("the content of env files counts, unless they are not to be read", async () => {
  write("services: { a: { image: x, env_file: e.env } }");
  writeFileSync(join(folder, "e.env"), "A=1\n");
  const before = await hash(["--hash", "*"]);
  expect(before.out).toBe(await wanted("a"));
  const unread = await hash(["--hash", "*", "--no-env-resolution"]);
  writeFileSync(join(folder, "e.env"), "A=2\n");
  expect((await hash(["--hash", "*"])).out).not.toBe(before.out);
  expect((await hash(["--hash", "*", "--no-env-resolution"])).out).toBe(unread.out);
});

test("a missing env file of another service is nobody's business", async () => {
  write("services: { a: { image: x, depends_on: [b] }, b: { image: y, env_file: missing.env } }");
  expect(await hash(["--hash", "a"])).toMatchObject({ code: 0, out: await wantedAlone() });
  expect(await hash(["--hash", "b"])).toMatchObject({ code: 1, err: expect.stringContaining("missing.env") });
  expect((await hash(["--hash", "*"])).code).toBe(1);

  async function wantedAlone(): Promise<string> {
    const options = { cwd: folder, env: { HOME: folder }, fs: nodeFs, services: ["a"], noDependencies: true };
    const config = (await loadProject(options)).services["a"];
    return `a ${config === undefined ? "" : serviceHash(config)}\n`;
  }
});

test("DOCKER_DEFAULT_PLATFORM is the platform of what is built, and must be among those listed", async () => {
  write("services: { a: { build: . }, b: { image: x }, c: { build: { context: ., platforms: [linux/amd64] } } }");
  const env = { DOCKER_DEFAULT_PLATFORM: "linux/arm64" };
  expect((await hash(["--hash", "a"], env)).out).toBe(await wanted("a", { platform: "linux/arm64" }));
  expect((await hash(["--hash", "b"], env)).out).toBe(await wanted("b"));
  expect(await hash(["--hash", "c"], env)).toMatchObject({
    code: 1,
    err: expect.stringContaining("build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: linux/arm64"),
  });
});
