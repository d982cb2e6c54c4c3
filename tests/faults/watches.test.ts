/** Watches of running containers are compared with what is meant, and a wait sees to it that what it waits for can come. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost } from "../helpers/host.js";
import { check, killAll, modes, processesOf, rows } from "./support.js";

const registry = busyboxRegistry();

/** Healthy when /tmp/ready is there. */
const stack = (image: string): string => `
services:
  web:
    image: "${image}"
    command: sleep 1000
    init: true
    restart: always
    stop_grace_period: 0s
    healthcheck: { test: ["CMD-SHELL", "test -f /tmp/ready || { echo not yet; exit 3; }"], interval: 300ms, retries: 1000 }
  plain: { image: "${image}", command: sleep 1000, init: true, stop_grace_period: 0s }
`;

const watchFolder = (host: TestHost): string => join(host.folder, "run/supervise");
const watches = (host: TestHost): string[] =>
  readdirSync(watchFolder(host)).filter((name) => /^[0-9a-f]{64}$/.test(name));
const makeReady = (host: TestHost, folder: string): Promise<string> =>
  host.must(folder, "exec", "-T", "web", "touch", "/tmp/ready");

describe.each(modes)("watches, %s", (mode) => {
  check(
    "of running containers that are missing or speak of another run are written again by the next command",
    onHost(mode, async (host) => {
      const folder = host.project("unwatched", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      expect(watches(host)).toHaveLength(1);
      const [id = ""] = watches(host);
      // what a command leaves that died between the row and the watch
      await killAll(host, "tsc-supd");
      for (const name of watches(host)) rmSync(join(watchFolder(host), name));
      await makeReady(host, folder);
      const up = await host.run(folder, ["up", "-d", "--wait"], { timeoutMs: 60_000 });
      expect({ code: up.code, stderr: up.code === 0 ? "" : up.stderr }).toEqual({ code: 0, stderr: "" });
      expect(watches(host)).toEqual([id]);
      // what a restart by policy leaves that died there: the watch of the run before
      const path = join(watchFolder(host), id);
      const right = readFileSync(path, "utf8");
      writeFileSync(path, right.replace(/^pid_start .*$/m, "pid_start 1"));
      await host.must(folder, "ps", "-q");
      expect(readFileSync(path, "utf8")).toBe(right);
      // one that died unwatched is brought back as its policy says
      const { pid } = processesOf(host, "conmon").find(({ argv }) => argv.includes(id)) ?? { pid: 0 };
      await killAll(host, "tsc-supd");
      rmSync(path);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
      process.kill(children[0] ?? 0, "SIGKILL");
      await eventually(async () => {
        const web = (await rows(host, folder)).find(({ Service }) => Service === "web");
        return web?.State === "running" && readFileSync(path, "utf8") !== right;
      });
      await host.must(folder, "down", "-t", "0");
      await eventually(() => processesOf(host, "tsc-supd").length === 0);
      expect(watches(host)).toEqual([]);
    }),
    120_000,
  );

  check(
    "a wait whose supervisor dies brings it back, says what it waits for, and ends",
    onHost(mode, async (host) => {
      const folder = host.project("waiting", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      const waiting = host.run(folder, ["--progress", "plain", "up", "-d", "--wait"], { timeoutMs: 90_000 });
      await eventually(() => processesOf(host, "tsc-supd").length === 1);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await killAll(host, "tsc-supd");
      for (const name of watches(host)) rmSync(join(watchFolder(host), name));
      // only the waiting command can have done this
      await eventually(() => processesOf(host, "tsc-supd").length === 1 && watches(host).length === 1, 40_000);
      await makeReady(host, folder);
      const { code, stderr, stdout } = await waiting;
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stderr + stdout).toMatch(/waiting-web-1 +Waiting +for its health check: exit code 3.*: not yet/);
      await host.must(folder, "down", "-t", "0");
    }),
    120_000,
  );
});
