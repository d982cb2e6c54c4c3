/** Copies, commits, exports, publishing, completion and the rest of the commands that work on one container, as root and as a user. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, eventually, isRoot, type Mode, REPOSITORY, TestHost } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";

const suite = isRoot ? describe.each(["root", "user"] as Mode[]) : describe.skip.each(["root"] as Mode[]);
let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "bb", "1", { layers: [debianRootfs("busybox", CACHE)], config: { Cmd: ["sh"] } });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

const compose = (image: string) => `
name: cli
services:
  web:
    image: ${image}
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    environment: { PRICE: "5$$" }
  two: { image: ${image}, command: ["sleep", "1000"], stop_signal: SIGKILL, scale: 2 }
  job: { image: ${image}, command: ["sh", "-c", "sleep 0.5; exit 5"], profiles: [jobs] }
`;

suite("commands on one project, %s", (mode) => {
  let host: TestHost;
  let folder: string;
  const out = (...args: string[]) => host.must(folder, ...args);
  const run = (...args: string[]) => host.run(folder, args);
  const inside = async (...command: string[]) => (await out("exec", "-T", "web", ...command)).trim();

  beforeAll(async () => {
    host = new TestHost(mode);
    folder = host.project("cli", {
      "compose.yaml": compose(`${registry.address}/bb:1`),
      "src/f1": "one\n",
      "src/sub/f2": "two\n",
      "out/here": "",
    });
    await host.exec(folder, ["ln", "-s", "f1", "src/link"]);
    await out("up", "-d");
  }, 60_000);
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  }, 30_000);

  test("cp: folders and files in and out, contents only, links, archives on pipes, every replica, wrong places", async () => {
    await inside("sh", "-c", "mkdir -p /t/ex /t/d; echo old >/t/file; ln -s /t/ex /t/lnk");
    await out("cp", "src", "web:/t/new");
    await out("cp", "src", "web:/t/ex");
    await out("cp", "src/.", "web:/t/d");
    await out("cp", "src/f1", "web:/t/file");
    await out("cp", "src/link", "web:/t/l1");
    await out("cp", "-L", "src/link", "web:/t/l2");
    expect(await inside("sh", "-c", "cd /t; ls new ex/cpsrc ex/src d 2>/dev/null; cat file; readlink l1; cat l2")).toBe(
      "d:\nf1\nlink\nsub\n\nex/src:\nf1\nlink\nsub\n\nnew:\nf1\nlink\nsub\none\nf1\none",
    );
    await out("cp", "web:/t/new", "out/a");
    await out("cp", "web:/t/new/.", "out");
    await out("cp", "web:/t/file", "out/renamed");
    await out("cp", "-L", "web:/t/lnk", "out/followed");
    await out("cp", "web:/t/lnk", "out/kept");
    const local = (path: string) => join(folder, "out", path);
    expect(readFileSync(local("a/sub/f2"), "utf8")).toBe("two\n");
    expect(readFileSync(local("sub/f2"), "utf8")).toBe("two\n");
    expect(readFileSync(local("renamed"), "utf8")).toBe("one\n");
    expect(lstatSync(local("followed")).isDirectory()).toBe(true);
    expect(readlinkSync(local("kept"))).toBe("/t/ex");

    const tar = execFileSync("tar", ["-C", join(folder, "src"), "-cf", "-", "."]);
    await out("exec", "-T", "web", "mkdir", "/t/piped");
    expect(await host.run(folder, ["cp", "-", "web:/t/piped"], { input: tar })).toMatchObject({ code: 0 });
    expect(await inside("cat", "/t/piped/sub/f2")).toBe("two");
    await host.exec(folder, ["sh", "-c", `${REPOSITORY}/bin/tscompose cp web:/t/new - >out/new.tar`]);
    expect(execFileSync("tar", ["-tf", local("new.tar")], { encoding: "utf8" })).toContain("new/sub/f2");

    await out("cp", "src/f1", "two:/tmp/all");
    for (const index of ["1", "2"])
      expect(await out("exec", "-T", "--index", index, "two", "cat", "/tmp/all")).toBe("one\n");
    const wrong: readonly (readonly [string, string, string])[] = [
      ["src/f1", "web:/no/such/place", "/no/such"],
      ["src", "web:/t/file", "cannot copy a directory onto the file"],
      ["web:/nosuch", "out", "could not find the file /nosuch"],
      ["web:/t/file", "out/nodir/", "does not exist"],
      ["src", "out", "unknown copy direction"],
      ["web:/a", "two:/b", "copying between services is not supported"],
      ["web:/t", "nosuch:/b", "copying between services is not supported"],
    ];
    for (const [source, target, words] of wrong) {
      const result = await run("cp", source, target);
      expect(`${result.code} ${result.stderr}`).toMatch(new RegExp(`^1 [^]*${words.replace(/[/:]/g, "\\$&")}`));
    }
  }, 60_000);

  test("cp -a keeps the owner", async () => {
    await inside("sh", "-c", "echo x >/t-owned; chown 33:33 /t-owned; chmod 640 /t-owned");
    await out("cp", "-a", "web:/t-owned", "out/owned");
    await out("cp", "-a", "out/owned", "web:/t-again");
    expect(statSync(join(folder, "out/owned")).mode & 0o777).toBe(0o640);
    expect(await inside("stat", "-c", "%u:%g %a", "/t-again")).toBe("33:33 640");
    await out("cp", "out/owned", "web:/t-plain");
    expect(await inside("stat", "-c", "%u:%g", "/t-plain")).toBe("0:0");
  });

  test("commit makes an image that runs; export gives the whole tree; a failed export leaves nothing", async () => {
    await inside("sh", "-c", "echo kept >/kept");
    const id = (await out("commit", "-m", "note", "-a", "me", "-c", "CMD cat /kept", "web", "cli-web:2")).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const extra = host.project("extra", { "compose.yaml": "services: { a: { image: 'cli-web:2' } }\n" });
    expect((await host.must(extra, "run", "--rm", "-T", "a")).trim()).toBe("kept");
    await out("export", "-o", "out/web.tar", "web");
    const names = execFileSync("tar", ["-tf", join(folder, "out/web.tar")], { encoding: "utf8" });
    expect(names).toMatch(/^(\.\/)?kept$/m);
    expect(names).toMatch(/^(\.\/)?bin\/busybox$/m);
    expect(statSync(join(folder, "out/web.tar")).mode & 0o777).toBe(0o600);
    expect((await run("export", "-o", "out/none/x.tar", "web")).code).toBe(1);
    expect((await run("export", "--index", "9", "-o", "out/x.tar", "web")).stderr).toContain(
      'service "web" is not running container #9',
    );
    expect(existsSync(join(folder, "out/x.tar"))).toBe(false);
  }, 60_000);

  test("wait returns the exit code; scale; alpha generate is a compose file that loads", async () => {
    await out("--profile", "jobs", "up", "-d", "job");
    const waited = await run("--profile", "jobs", "wait", "job");
    expect(waited).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/^container "[0-9a-f]{64}" exited with status code 5\n$/),
    });
    await out("scale", "two=3");
    expect((await out("ps", "-q", "two")).trim().split("\n")).toHaveLength(3);
    await out("scale", "two=1");
    expect((await out("ps", "--format", "{{.Name}}", "two")).trim()).toBe("cli-two-1");
    const generated = await out("alpha", "generate", "cli-web-1");
    const again = host.project("again", { "compose.yaml": generated });
    const model = JSON.parse(await host.must(again, "config", "--format", "json")) as {
      services: Record<string, { image: string; environment: Record<string, string> }>;
    };
    expect(model.services["cli-web-1"]?.environment["PRICE"]).toBe("5$$");
    const rewound = JSON.parse(await out("alpha", "generate", "--format", "json", "--name", "x", "cli-web-1")) as {
      name: string;
    };
    expect(rewound.name).toBe("x");
  }, 60_000);

  test("publish pushes an artifact of the compose files; questions are answered from a pipe", async () => {
    const project = host.project("pub", {
      "compose.yaml": `services: { a: { extends: { file: base.yaml, service: b }, env_file: a.env } }\n`,
      "base.yaml": `services: { b: { image: "${registry.address}/bb:1" } }\n`,
      "a.env": "PASSWORD=hidden\n",
    });
    const target = `${registry.address}/cli/app:${mode}`;
    const refused = await host.run(project, ["publish", target], { input: "n\n" });
    expect(refused).toMatchObject({ code: 130, stderr: expect.stringContaining('service "a": env_file declared') });
    expect((await fetch(`http://${registry.address}/v2/cli/app/manifests/${mode}`)).status).toBe(404);
    await host.must(project, "publish", "--with-env", "-y", "--resolve-image-digests", target);
    const manifest = (await (
      await fetch(`http://${registry.address}/v2/cli/app/manifests/${mode}`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      })
    ).json()) as {
      artifactType: string;
      layers: { digest: string; mediaType: string; annotations: Record<string, string> }[];
    };
    expect(manifest.artifactType).toBe("application/vnd.docker.compose.project");
    const blob = async (index: number) =>
      await (await fetch(`http://${registry.address}/v2/cli/app/blobs/${manifest.layers[index]?.digest}`)).text();
    expect(manifest.layers.map(({ mediaType }) => mediaType.split(".").at(-1))).toEqual([
      ...["file+yaml", "file+yaml", "envfile", "file+yaml"],
    ]);
    expect(manifest.layers[1]?.annotations["com.docker.compose.extends"]).toBe("true");
    const main = await blob(0);
    expect(main).toContain(manifest.layers[1]?.annotations["com.docker.compose.file"]);
    expect(main).not.toContain("base.yaml");
    expect(main).not.toContain(host.folder);
    expect(await blob(2)).toBe("PASSWORD=hidden\n");
    expect(await blob(3)).toMatch(/image: \S+bb:1@sha256:[0-9a-f]{64}/);
  }, 60_000);

  test("bash completes services, profiles and containers from the project; the shim is the same program", async () => {
    const script = join(folder, "complete.sh");
    writeFileSync(
      script,
      `PATH=${REPOSITORY}/bin:$PATH; cd ${folder}; source <(tscompose completion bash)
try() { COMP_LINE="$1"; COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _tscompose 2>/dev/null; echo "\${COMPREPLY[*]}"; }
try "tscompose logs w"; try "tscompose --profile j"; try "tscompose container rm cli-w"; try "tscompose up --scale=t"
try "docker-compose exec we"; try "tscompose cp we"; try "tscompose conf"; docker-compose ps --services\n`,
    );
    const answers = await host.exec(folder, ["bash", "--norc", script]);
    expect(answers.stdout.trim().split("\n").slice(0, 7)).toEqual([
      "web",
      "jobs",
      "cli-web-1",
      "two=",
      "web",
      "web:",
      "config",
    ]);
    expect(answers.stdout).toContain("two\nweb\n");
  }, 30_000);

  test("COMPOSE_ variables of .env count like the environment; an --env-file is ours alone to read", async () => {
    const project = host.project("env", {
      "compose.yaml": compose(`${registry.address}/bb:1`),
      ".env": "COMPOSE_COMPATIBILITY=1\nCOMPOSE_PARALLEL_LIMIT=1\nCOMPOSE_PROFILES=jobs\n",
      "other.env": "NODE_OPTIONS=--bogus\nX=1\n",
    });
    expect(await host.must(project, "-p", "envp", "--dry-run", "run", "--no-deps", "web")).toContain("envp_web_run_");
    expect(await host.must(project, "config", "--services")).toContain("job");
    expect(await host.must(project, "--env-file", "other.env", "config", "--environment")).toContain("\nX=1\n");
    expect(await host.run(project, ["--env-file", "nosuch.env", "ps"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("couldn't find env file: "),
    });
    const limited = await host.run(project, ["ps"], { env: { COMPOSE_PARALLEL_LIMIT: "many" } });
    expect(limited).toMatchObject({ code: 1, stderr: expect.stringContaining("COMPOSE_PARALLEL_LIMIT") });
  });

  test("a terminal on standard error alone is drawn on, and nothing but results goes to a file", async () => {
    mkdirSync(join(folder, "tty"), { recursive: true });
    const command = `cd ${folder} && ${REPOSITORY}/bin/tscompose restart -t 0 web >out/result`;
    const screen = await host.exec(folder, ["script", "-qec", command, "/dev/null"]);
    expect(screen).toMatchObject({ code: 0, stdout: expect.not.stringContaining("rror") });
    expect(readFileSync(join(folder, "out/result"), "utf8")).toBe("");
    expect(screen.stdout).toMatch(/\[\+\] restart 1\/1/);
    expect(screen.stdout.lastIndexOf("\u001b[?25h")).toBeGreaterThan(screen.stdout.lastIndexOf("\u001b[?25l"));
    await eventually(async () => (await out("ps", "-q", "web")).trim() !== "");
  });
});
