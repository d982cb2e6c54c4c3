/** Remote compose files from a git daemon and a registry, both on loopback, through the program itself. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, pushImage, startRegistry } from "../../helpers/registry.js";

const BIN = resolve(import.meta.dirname, "../../../bin/tscompose");
const folder = mkdtempSync(join(tmpdir(), "tsc-remote-"));
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: join(folder, "home"),
  XDG_CACHE_HOME: join(folder, "cache"),
  TSCOMPOSE_ROOT: join(folder, "root"),
  TSCOMPOSE_RUN_ROOT: join(folder, "run"),
};
const work = join(folder, "work");
let daemon: ReturnType<typeof spawn> | undefined;
let url = "";
let commit = "";

/** What a stranger's compose file may try to read here. */
const EVIL: Readonly<Record<string, string>> = {
  absolute: "services: {a: {image: x, env_file: [FOLDER/secret.env]}}\n",
  above: "services: {a: {image: x, env_file: ../../../../../../../secret.env}}\n",
  linked: "services: {a: {image: x, env_file: [{path: link/secret.env}]}}\n",
  home: "services: {a: {image: x, env_file: ~/.netrc}}\n",
  labels: "services: {a: {image: x, label_file: FOLDER/secret.env}}\n",
  extends: "services: {a: {extends: {file: FOLDER/secret.yaml, service: stolen}}}\n",
  include: "include: [FOLDER/secret.yaml]\nservices: {a: {image: x}}\n",
  "include-link": "include: [link/secret.yaml]\nservices: {a: {image: x}}\n",
  "include-env": "include: [{path: own.yaml, env_file: FOLDER/secret.env}]\n",
  secret: "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {file: FOLDER/secret.env}}\n",
  config: "services: {a: {image: x, configs: [s]}}\nconfigs: {s: {file: link/secret.env}}\n",
  context: "services: {a: {build: FOLDER}}\n",
  more: "services: {a: {build: {context: ., additional_contexts: {m: FOLDER}}}}\n",
  "more-url": "services: {a: {build: {context: ., additional_contexts: {m: ./x://../../../../../../../..}}}}\n",
  "more-absolute": "services: {a: {build: {context: ., additional_contexts: {m: 'FOLDER/x://..'}}}}\n",
  "context-url": "services: {a: {build: './x://../../../../../../../..'}}\n",
  bind: "services: {a: {image: x, volumes: ['./link:/v']}}\n",
  "bind-long": "services: {a: {image: x, volumes: [{type: bind, source: link/secret.env, target: /v}]}}\n",
  volume: "services: {a: {image: x}}\nvolumes: {v: {driver: local, driver_opts: {o: bind, device: ./link}}}\n",
  dockerfile: "services: {a: {build: {context: ., dockerfile: FOLDER/secret.env}}}\n",
  watch: "services: {a: {image: x, develop: {watch: [{action: sync, path: FOLDER, target: /t}]}}}\n",
  inner: "services: {b: {image: x, env_file: [FOLDER/secret.env]}}\n",
  own: "services: {a: {image: x, env_file: own.env, build: {context: ., dockerfile: ../sub/Dockerfile}}}\n",
};

/** Harmless by themselves, but a service that they extend is not. */
const CHAINS: Readonly<Record<string, string>> = {
  file: "services: {a: {extends: {file: inner.yaml, service: b}}}\n",
  outside: "services: {a: {extends: {file: FOLDER/secret.yaml, service: stolen}}}\n",
  link: "services: {a: {extends: {file: link/secret.yaml, service: stolen}}}\n",
};

function git(...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"];
  return execFileSync("git", [...identity, ...args], { cwd: join(folder, "repo.git"), encoding: "utf8" }).trim();
}

/** Of every process there is. */
function commandLines(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] : [];
    } catch {
      return []; // it has ended
    }
  });
}

function compose(args: readonly string[], more: Readonly<Record<string, string>> = {}, input = "") {
  const { status, stdout, stderr } = spawnSync(BIN, args, {
    cwd: work,
    input,
    env: { ...env, ...more },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  const repo = join(folder, "repo.git");
  for (const path of [repo, work, env.HOME, join(repo, "sub/ctx")]) mkdirSync(path, { recursive: true });
  git("init", "--quiet");
  writeFileSync(
    join(repo, "compose.yaml"),
    "services: {top: {image: x, build: ., extends: {file: sub/base.yaml, service: base}}}\n",
  );
  writeFileSync(join(repo, "sub/base.yaml"), "services: {base: {labels: {from: base}, volumes: ['./data:/data']}}\n");
  writeFileSync(join(repo, "sub/compose.yml"), "services: {sub: {image: 'y:${TAG:-1}', build: ./ctx}}\n");
  symlinkSync("/etc", join(repo, "out"));
  writeFileSync(join(folder, "secret.yaml"), "services: {stolen: {image: x}}\n");
  symlinkSync(join(folder, "secret.yaml"), join(repo, "stolen.yaml"));
  writeFileSync(join(folder, "secret.env"), "TOKEN=topsecret\n");
  mkdirSync(join(repo, "evil"));
  for (const [name, text] of Object.entries(EVIL)) {
    writeFileSync(join(repo, "evil", `${name}.yaml`), text.replaceAll("FOLDER", folder));
  }
  for (const [name, text] of Object.entries(CHAINS)) {
    writeFileSync(join(repo, "evil", `chain-${name}.yaml`), text.replaceAll("FOLDER", folder));
  }
  symlinkSync(folder, join(repo, "evil/link"));
  writeFileSync(join(repo, "evil/own.env"), "OWN=mine\n");
  git("add", "-A");
  git("commit", "--quiet", "-m", "one");
  git("tag", "-a", "v1", "-m", "v1");
  commit = git("rev-parse", "HEAD");
  const port = await freePort();
  url = `git://127.0.0.1:${port}/repo.git`;
  daemon = spawn(
    "git",
    ["daemon", "--export-all", `--base-path=${folder}`, "--listen=127.0.0.1", `--port=${port}`, "--reuseaddr"],
    {
      stdio: "ignore",
      detached: true,
    },
  );
  for (let attempt = 0; attempt < 100; attempt++) {
    if (spawnSync("git", ["ls-remote", url], { stdio: "ignore" }).status === 0) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("git daemon did not start");
}, 30_000);

afterAll(() => {
  // its own group: the daemon starts a child for each connection
  if (daemon?.pid !== undefined) process.kill(-daemon.pid, "SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

describe("git", () => {
  test("a repository's compose file, its folder as base, pinned by commit in the cache", () => {
    const { status, stdout, stderr } = compose(["-p", "t", "-f", url, "config", "--format", "json"]);
    expect([status, stderr]).toEqual([0, ""]);
    const { services } = JSON.parse(stdout);
    expect(services.top.build.context).toContain(`/cache/tscompose/remote/git/`);
    expect(services.top.build.context.endsWith(`/${commit}`)).toBe(true);
    expect(services.top.labels).toEqual({ from: "base" });
    expect(services.top.volumes[0].source.endsWith(`/${commit}/sub/data`)).toBe(true);
  });

  test.each(["#main:sub", "#v1:sub", "#:sub/compose.yml"])("%s", (fragment) => {
    const { status, stdout } = compose(["-f", `${url}${fragment}`, "config", "--services"]);
    expect([status, stdout]).toEqual([0, "sub\n"]);
  });

  test("as an include, by commit", () => {
    writeFileSync(join(work, "compose.yaml"), `include: ["${url}#${commit}:sub"]\nservices: {own: {image: o}}\n`);
    const { status, stdout, stderr } = compose(["config", "--services"]);
    expect([status, stdout, stderr]).toEqual([0, "own\nsub\n", ""]);
  });

  test.each([
    ["#main:../../etc", "TSC_REMOTE_INVALID"],
    ["#main:out/passwd", "leads out of what was fetched"],
    ["#main:stolen.yaml", "leads out of what was fetched"],
    ["#nope", 'has no branch or tag "nope"'],
    ["#main:nope", "no compose file"],
    ["#--upload-pack=x", "TSC_REMOTE_INVALID"],
  ])("%s is refused", (fragment, message) => {
    const { status, stderr } = compose(["-f", `${url}${fragment}`, "config"]);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  test("user and password of a URL reach the server, but no command line, no message and no file", async () => {
    const seen = { authorizations: new Set<string>(), commands: [] as string[] };
    // Takes what it asks for, then refuses: git runs through everything it does with a password.
    const server = createServer((request, response) => {
      seen.commands.push(...commandLines().filter((line) => line.includes("hunter2")));
      const { authorization } = request.headers;
      if (authorization !== undefined) seen.authorizations.add(authorization);
      response.writeHead(authorization === undefined ? 401 : 403, { "www-authenticate": 'Basic realm="git"' }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      writeFileSync(
        join(work, "compose.yaml"),
        `include: ["http://alice:hunter2%21@127.0.0.1:${port}/repo.git"]\nservices: {own: {image: o}}\n`,
      );
      const child = spawn(BIN, ["config"], { cwd: work, env });
      let said = "";
      child.stdout.on("data", (data: Buffer) => (said += data.toString()));
      child.stderr.on("data", (data: Buffer) => (said += data.toString()));
      const [code] = await once(child, "close");
      expect([code, said.includes("127.0.0.1")]).toEqual([1, true]);
      expect(said).not.toContain("hunter2");
      expect([...seen.authorizations]).toEqual([`Basic ${Buffer.from("alice:hunter2!").toString("base64")}`]);
      expect(seen.commands).toEqual([]);
      expect(spawnSync("grep", ["-r", "hunter2", join(folder, "cache")], { encoding: "utf8" }).stdout).toBe("");
    } finally {
      server.close();
    }
  }, 30_000);
  test.each(Object.keys(EVIL).filter((name) => name !== "own"))(
    "evil/%s.yaml reads nothing of this machine",
    (name) => {
      const remote = `${url}#main:evil/${name}.yaml`;
      const direct = compose(["-f", remote, "config"]);
      expect([direct.status, direct.stderr]).toEqual([1, expect.stringContaining("leads out of what was fetched")]);
      writeFileSync(join(work, "compose.yaml"), `include: ["${remote}"]\nservices: {own: {image: o}}\n`);
      const included = compose(["config"]);
      expect([included.status, included.stderr]).toEqual([1, expect.stringContaining("leads out of what was fetched")]);
      for (const { stdout, stderr } of [direct, included]) expect(stdout + stderr).not.toMatch(/topsecret|stolen:/);
    },
  );

  test.each(Object.keys(CHAINS))(
    "a service of this machine that extends evil/chain-%s.yaml reads nothing of it",
    (name) => {
      const remote = `${url}#main:evil/chain-${name}.yaml`;
      writeFileSync(join(work, "compose.yaml"), `services: {own: {extends: {file: "${remote}", service: a}}}\n`);
      const { status, stdout, stderr } = compose(["config"]);
      expect([status, stderr]).toEqual([1, expect.stringContaining("leads out of what was fetched")]);
      expect(stdout + stderr).not.toMatch(/topsecret|stolen:/);
    },
  );

  test("what came with the file is read", () => {
    const { status, stdout, stderr } = compose(["-f", `${url}#main:evil/own.yaml`, "config"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("OWN: mine");
  });

  test("is read as it was fetched, whatever a container has made of the folder that it was given", () => {
    const show = () => compose(["-f", `${url}#main:evil/own.yaml`, "config"]);
    const before = show();
    const [key = ""] = readdirSync(join(folder, "cache/tscompose/remote/git"));
    const place = join(folder, "cache/tscompose/remote/git", key, commit, "evil");
    const stranger = "services: {a: {image: x, privileged: true}}\n";
    writeFileSync(join(place, "own.yaml"), stranger);
    writeFileSync(join(place, ".env"), "COMPOSE_PROFILES=more\n");
    writeFileSync(join(place, "own.env"), "OWN=theirs\n");
    expect(show()).toEqual(before);
    rmSync(join(place, "own.env"));
    symlinkSync(join(folder, "secret.env"), join(place, "own.env"));
    expect(show().stdout).not.toContain("topsecret");
    // and what it has put there is no file of the project
    writeFileSync(join(place, "mine.yaml"), stranger);
    const { status, stderr } = compose(["-f", `${url}#main:evil/mine.yaml`, "config"]);
    expect([status, stderr.includes("TSC_REMOTE_INVALID")]).toEqual([1, true]);
  });

  test("can be switched off", () => {
    const { status, stderr } = compose(["-f", url, "config"], { COMPOSE_EXPERIMENTAL_GIT_REMOTE: "false" });
    expect([status, stderr.includes("TSC_REMOTE_DISABLED")]).toEqual([1, true]);
  });
});

describe("oci", () => {
  test("a published project comes back, cached by digest", async () => {
    await using registry = await startRegistry();
    const reference = `${registry.address}/team/stack:1`;
    writeFileSync(
      join(work, "compose.yaml"),
      "name: stack\nservices: {a: {image: 'x:${TAG:-1}'}, b: {image: y, labels: {l: v}}}\n",
    );
    const published = compose(["publish", "-y", reference]);
    expect([published.status, published.status === 0 ? "" : published.stderr]).toEqual([0, ""]);
    const { status, stdout, stderr } = compose(["-f", `oci://${reference}`, "config", "--format", "json"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(Object.keys(JSON.parse(stdout).services)).toEqual(["a", "b"]);
    expect(JSON.parse(stdout).services.a.image).toBe("x:1");
    expect(readdirSync(join(folder, "cache/tscompose/remote/oci"))).toEqual([
      expect.stringMatching(/^sha256-[0-9a-f]{64}$/),
    ]);
    // whoever starts it is told what it is, and asked
    const up = (flags: readonly string[], input = "", more = {}) => {
      const result = compose(["-f", `oci://${reference}`, ...flags], more, input);
      return { ...result, refused: result.stderr.includes("operation cancelled by user") };
    };
    const place = `Your compose stack "oci://${reference}" is stored in "${folder}/cache/tscompose/remote/oci/sha256-`;
    const table = (value: string, source: string) =>
      `\nFound the following variables in configuration:\nVARIABLE   VALUE   SOURCE         REQUIRED   DEFAULT\nTAG        ${value}${source}no         1\n\nDo you want to proceed with these variables? [Y/n]: `;
    for (const command of [
      ["up", "-d"],
      ["run", "a"],
    ]) {
      const no = up(command, "n\n");
      expect(no).toMatchObject({ status: 1, refused: true, stdout: expect.stringContaining(place) });
      expect(no.stdout.slice(no.stdout.indexOf("\n") + 1)).toBe(table("1       ", "compose file   "));
      // no answer of a pipe is none
      expect(up(command)).toMatchObject({ status: 1, refused: true });
    }
    const set = up(["up", "-d"], "n\n", { TAG: "from-env" });
    expect(set.stdout).toMatch(/^TAG {8}from-env {3}environment {3}no {9}1$/m);
    // what is answered with yes, or beforehand, comes as far as the missing image
    const yes = up(["up", "-d"], "y\n");
    expect([yes.refused, yes.status, yes.stderr]).toEqual([false, 1, expect.stringContaining("x:1")]);
    const assumed = up(["up", "-d", "-y"]);
    expect(assumed).toMatchObject({ refused: false, status: 1, stdout: expect.stringContaining(place) });
    expect(assumed.stdout).not.toContain("Found the following");
    expect(up(["--progress", "quiet", "up", "-d", "-y"]).stdout).not.toContain("Your compose stack");
    const missing = compose(["-f", `oci://${registry.address}/team/nope`, "config"]);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/error\[TSC_/);
  }, 60_000);

  test("--resolve-image-digests pins images, --lock-image-digests prints only them", async () => {
    await using registry = await startRegistry();
    await pushImage(registry.address, "app", "1", { layers: [] });
    const image = `${registry.address}/app:1`;
    writeFileSync(
      join(work, "compose.yaml"),
      `name: lock\nservices: {a: {image: "${image}", tty: true}, b: {build: .}}\n`,
    );
    const resolved = compose(["config", "--resolve-image-digests", "--format", "json"]);
    expect([resolved.status, resolved.stderr]).toEqual([0, ""]);
    const { a } = JSON.parse(resolved.stdout).services;
    expect(a.image).toMatch(new RegExp(`^${image}@sha256:[0-9a-f]{64}$`));
    expect(a.tty).toBe(true);
    const locked = compose(["config", "--lock-image-digests", "--format", "json"]);
    expect(JSON.parse(locked.stdout)).toEqual({ services: { a: expect.objectContaining({ image: a.image }) } });
    const raw = ["config", "--no-interpolate", "--format", "json"];
    const both = compose([...raw, "--resolve-image-digests"]);
    expect(JSON.parse(both.stdout).services.a).toEqual({
      ...JSON.parse(compose(raw).stdout).services.a,
      image: a.image,
    });
    expect(JSON.parse(compose([...raw, "--lock-image-digests"]).stdout)).toEqual({
      services: { a: { image: a.image } },
    });
  }, 60_000);
});
