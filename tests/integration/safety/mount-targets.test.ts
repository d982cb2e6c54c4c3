/**
 * What an image or a volume can put under a mount target: links that lead out (CVE-2019-19921, CVE-2021-30465, CVE-2023-27561,
 * CVE-2024-45310, CVE-2026-41579), for either runtime, in services and in build steps; and links that only lead elsewhere inside.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { fileRegistry } from "../../helpers/busybox-registry.js";
import { debianRootfs } from "../../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";
import { pushImage } from "../../helpers/registry.js";

const check = isRoot ? test : test.skip;
const settings = (["root", "user"] as Mode[]).flatMap((mode) => ["crun", "runc"].map((runtime) => ({ mode, runtime })));

const registry = fileRegistry({});
let base = "";
/** A folder of the host that every hostile link points to. */
let target = "";
beforeAll(async () => {
  if (!isRoot) return;
  base = mkdtempSync(join(tmpdir(), "tsc-targets-"));
  target = join(base, "target");
  for (const folder of [".", "pts", "shm", "mqueue", "fs/cgroup", "self"])
    mkdirSync(join(target, folder), { recursive: true });
  // what a runtime replaces in /dev
  for (const name of ["fd", "null", "console", "ptmx", "stdin"]) writeFileSync(join(target, name), "host\n");
  execFileSync("chmod", ["-R", "a+rwX", base]);
  const busybox = debianRootfs("busybox", CACHE);
  const links: Readonly<Record<string, readonly [string, string]>> = {
    plain: ["nothing", "nowhere"],
    dev: ["dev", target],
    proc: ["proc", target],
    sys: ["sys", target],
    "dev-inside": ["dev", "/tmp"],
    dangling: ["data", "/mnt/real"],
    "to-proc": ["data", "/proc/self"],
    out: ["data", target],
  };
  for (const [name, [path, to]] of Object.entries(links)) {
    const root = join(base, name);
    cpSync(busybox, root, { recursive: true, verbatimSymlinks: true });
    rmSync(join(root, path), { recursive: true, force: true });
    symlinkSync(to, join(root, path));
    await pushImage(registry.address, name, "1", { layers: [root] });
  }
}, 120_000);
afterAll(async () => {
  if (base !== "") rmSync(base, { recursive: true, force: true });
});

/** Everything in the host's folder, with contents. */
const seen = (folder = target): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path} ${entry.isFile() ? readFileSync(path, "utf8") : entry.isDirectory() ? "folder" : "other"}`;
    })
    .sort();

function project(host: TestHost, image: string, runtime: string, more: string): string {
  return host.project("targets", {
    "compose.yaml": `services:\n  a:\n    image: "${registry.address}/${image}:1"\n    network_mode: none\n    runtime: ${runtime}\n${more}`,
  });
}

describe.each(settings)("mount targets, $mode, $runtime", ({ mode, runtime }) => {
  check(
    "an image whose /dev, /proc or /sys is a link is refused",
    onHost(mode, async (host) => {
      const before = seen();
      for (const image of ["dev", "proc", "sys", "dev-inside"]) {
        const result = await host.run(project(host, image, runtime, ""), ["run", "--rm", "-T", "a", "true"]);
        expect({ image, seen: seen() }).toEqual({ image, seen: before });
        expect({ image, code: result.code, stderr: result.stderr }).toMatchObject({
          image,
          code: 125,
          stderr: expect.stringContaining("symbolic link"),
        });
      }
    }),
  );

  check(
    "targets behind links stay inside, and are made where a link leads to nothing (J1)",
    onHost(mode, async (host) => {
      const before = seen();
      const more = (path: string) =>
        `    volumes: ['vol:${path}/deep/er']\n    configs: [{ source: c, target: ${path}/file }]\nvolumes: { vol: {} }\nconfigs: { c: { content: text } }\n`;
      const script = (path: string) =>
        `cat ${path}/file; echo x > ${path}/deep/er/f && grep -c " ${path}/" /proc/self/mounts`;
      for (const [image, real] of [
        ["dangling", "/mnt/real"],
        ["out", target],
        ["plain", "/none/there"],
      ] as const) {
        const path = image === "plain" ? real : "/data";
        const folder = project(host, image, runtime, more(path));
        const result = await host.run(folder, ["run", "--rm", "-T", "a", "sh", "-c", script(real)]);
        expect({ image, code: result.code, stdout: result.stdout, seen: seen() }).toEqual({
          image,
          code: 0,
          stdout: "text2\n",
          seen: before,
        });
        await host.must(folder, "down", "-v");
      }
    }),
  );

  check(
    "a link to /proc is refused as a target",
    onHost(mode, async (host) => {
      const folder = project(host, "to-proc", runtime, "    volumes: ['vol:/data']\nvolumes: { vol: {} }\n");
      const result = await host.run(folder, ["run", "--rm", "-T", "a", "true"]);
      expect({ code: result.code, stderr: result.stderr }).toMatchObject({
        code: 125,
        stderr: expect.stringContaining("a link leads to /proc/self"),
      });
    }),
  );

  check(
    "a link in a volume leads no mount below it out",
    onHost(mode, async (host) => {
      const before = seen();
      const volumes = "    volumes: ['outer:/v', 'inner:/v/link/x']\nvolumes: { outer: {}, inner: {} }\n";
      const folder = project(host, "plain", runtime, "    volumes: ['outer:/v']\nvolumes: { outer: {} }\n");
      await host.must(folder, "run", "--rm", "-T", "a", "ln", "-s", target, "/v/link");
      project(host, "plain", runtime, volumes);
      const result = await host.run(folder, ["run", "--rm", "-T", "a", "sh", "-c", `echo x > ${target}/x/f && ls /v`]);
      expect({ code: result.code, stdout: result.stdout, seen: seen() }).toEqual({
        code: 0,
        stdout: "link\n",
        seen: before,
      });
    }),
  );

  check(
    "a build step on such an image is refused, and nothing is left of it",
    onHost(mode, async (host) => {
      const before = seen();
      const folder = host.project("build", {
        "compose.yaml": "services:\n  a:\n    build: .\n    image: made\n",
        Dockerfile: `FROM ${registry.address}/dev:1\nRUN true\n`,
      });
      const result = await host.run(folder, ["build"]);
      expect({ ok: result.code === 0, seen: seen() }).toEqual({ ok: false, seen: before });
      expect(`${result.stdout}${result.stderr}`).toContain("symbolic link");
    }),
  );
});
