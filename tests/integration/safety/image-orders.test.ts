/** Images whose config gives orders: to remove, to keep from stopping, to belong to another project. None is obeyed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";
import { sha256 } from "../images/fixtures.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];

/** A docker archive of one busybox image with that config, as `docker save` writes it; made by hand, so that it can lie. */
function archive(host: TestHost, name: string, config: object, rest: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "tsc-orders-"));
  try {
    const rootfs = debianRootfs("busybox", CACHE);
    execFileSync("tar", ["--numeric-owner", "-C", rootfs, "-cf", join(folder, "layer.tar"), "."]);
    const layer = execFileSync("cat", [join(folder, "layer.tar")], { maxBuffer: 1 << 30 });
    const image = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch, config, ...rest };
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ ...image, rootfs: { type: "layers", diff_ids: [sha256(layer)] } }),
    );
    writeFileSync(
      join(folder, "manifest.json"),
      JSON.stringify([{ Config: "config.json", RepoTags: [`${name}:1`], Layers: ["layer.tar"] }]),
    );
    const path = join(host.project(`image-${name}`, {}), "image.tar");
    execFileSync("tar", ["-C", folder, "-cf", path, "manifest.json", "config.json", "layer.tar"]);
    execFileSync("chmod", ["644", path]);
    return path;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadAndUp(host: TestHost, name: string, config: object): Promise<string> {
  await host.must("/", "image", "load", "-i", archive(host, name, config));
  const folder = host.project(name, {
    "compose.yaml": `services:\n  app: {image: "${name}:1", pull_policy: never, command: [sleep, "1000"], network_mode: none, stop_grace_period: 1s}\n`,
  });
  await host.must(folder, "up", "-d");
  return folder;
}

const states = async (host: TestHost, folder: string) =>
  (await host.must(folder, "ps", "-a", "--format", "{{.Name}} {{.State}}")).trim();

describe.each(modes)("%s", (mode) => {
  check(
    "labels of an image that look like the engine's marks remove nothing",
    onHost(mode, async (host) => {
      const folder = await loadAndUp(host, "marked", {
        Labels: {
          // a process that is no more: pid 2 of an earlier time
          "com.tscompose.build": "build-2-1-abcdef",
          "com.tscompose.remover": "2-1-abcdef",
        },
        Volumes: { "/data": {} },
      });
      await host.must(folder, "exec", "app", "sh", "-c", "echo kept > /data/file");
      for (let round = 0; round < 5; round++) expect(await states(host, folder)).toBe("marked-app-1 running");
      await host.must(folder, "stop");
      expect(await states(host, folder)).toBe("marked-app-1 exited");
      await host.must(folder, "start");
      expect(await host.must(folder, "exec", "app", "cat", "/data/file")).toBe("kept\n");
    }),
    120_000,
  );

  check(
    "an image's compose labels make its containers nobody's",
    onHost(mode, async (host) => {
      const folder = await loadAndUp(host, "claimed", {
        Labels: {
          "com.docker.compose.project": "victim",
          "com.docker.compose.service": "db",
          "com.docker.compose.oneoff": "True",
          "com.docker.compose.container-number": "7",
          "com.docker.compose.config-hash": "forged",
          "com.docker.compose.slug": "forged",
          "com.docker.compose.replace": "forged",
          "org.tscompose.files-hash": "forged",
          "org.example.kept": "yes",
        },
      });
      expect((await host.must("/", "ls", "-a", "--format", "json")).includes("victim")).toBe(false);
      const labels = await host.must(folder, "ps", "-a", "--format", "{{.Labels}}");
      expect(labels).toContain("org.example.kept=yes");
      expect(labels).toContain("com.docker.compose.project=claimed");
      expect(labels).not.toMatch(/forged|victim/);
      await host.run("/", ["-p", "victim", "down", "-t", "0", "--remove-orphans"]);
      expect(await states(host, folder)).toBe("claimed-app-1 running");
    }),
    120_000,
  );

  check(
    "a stop signal that is none is told and keeps nothing from ending",
    onHost(mode, async (host) => {
      const path = archive(host, "unstoppable", { StopSignal: "SIGNOTHING", Cmd: ["sleep", "1000"] });
      const loaded = await host.run("/", ["image", "load", "-i", path]);
      expect(loaded).toMatchObject({ code: 0, stderr: expect.stringContaining('StopSignal "SIGNOTHING"') });
      const folder = host.project("unstoppable", {
        "compose.yaml":
          "services: {app: {image: 'unstoppable:1', pull_policy: never, network_mode: none, stop_grace_period: 1s}}\n",
      });
      await host.must(folder, "up", "-d");
      await host.must(folder, "stop");
      expect(await states(host, folder)).toBe("unstoppable-app-1 exited");
    }),
    120_000,
  );

  check(
    "fields without bounds are refused before a layer is read, and those without meaning do not keep an image from running",
    onHost(mode, async (host) => {
      const many = (count: number, entry: (index: number) => string) =>
        Array.from({ length: count }, (_, i) => entry(i));
      for (const config of [
        { Env: many(5000, (i) => `V${i}=x`) },
        { Cmd: ["sh\0"] },
        { User: "root\nevil:x:0:0" },
        { Volumes: Object.fromEntries(many(2000, (i) => `/v${i}`).map((path) => [path, {}])) },
        { Healthcheck: { Test: ["CMD", ...many(9000, () => "x")] } },
        { OnBuild: many(5000, () => "RUN true") },
      ]) {
        const result = await host.run("/", ["image", "load", "-i", archive(host, "bound", config)]);
        expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/bound|config/) });
      }
      const folder = await loadAndUp(host, "odd", {
        Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOVALUE", "=x", "LD_PRELOAD=/nonexistent.so"],
        ExposedPorts: { "0": {}, "1-65535/tcp": {}, "x/y": {} },
        Volumes: { "/": {}, "/proc": {}, "/sys": {}, "../../data": {} },
        Healthcheck: { Test: ["CMD", "true"], Interval: -5, Timeout: 1e300, StartInterval: 1, Retries: 1e18 },
        WorkingDir: "tmp",
        Shell: [],
      });
      expect(await states(host, folder)).toBe("odd-app-1 running");
      expect(await host.must(folder, "exec", "app", "pwd")).toBe("/tmp\n");
    }),
    180_000,
  );
});
