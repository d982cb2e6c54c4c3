/** Many commands at once: they take turns on one project, run side by side on others, and the dead hold no locks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";
import { startPeer } from "../integration/images/fixtures.js";
import { check, modes, rows, unfinished } from "./support.js";

const registry = busyboxRegistry();

const stack = (image: string, names: readonly string[]): string =>
  `services:\n${names.map((name) => `  ${name}: { image: "${image}", command: sleep 1000, init: true, stop_grace_period: 0s }`).join("\n")}\n`;

const clean = (host: TestHost) => async (): Promise<void> => {
  expect((await host.leaks()).lines).toEqual([]);
  expect(unfinished(host)).toEqual([]);
};

describe.each(modes)("at once, %s", (mode) => {
  check(
    "up and up: one waits and says so, nothing is made twice; up and down: the last word counts",
    onHost(mode, async (host) => {
      const folder = host.project("twice", { "compose.yaml": stack(registry.image, ["a", "b", "c"]) });
      await host.must(folder, "pull", "-q");
      const both = await Promise.all([1, 2, 3].map(() => host.run(folder, ["up", "-d"])));
      expect(both.map(({ code }) => code)).toEqual([0, 0, 0]);
      expect(both.filter(({ stderr }) => /Waiting for another command on project twice/.test(stderr))).not.toEqual([]);
      expect((await rows(host, folder)).map((row) => [row.Service, row.State])).toEqual([
        ["a", "running"],
        ["b", "running"],
        ["c", "running"],
      ]);
      for (let round = 0; round < 2; round++) {
        const mixed = await Promise.all([
          host.run(folder, ["up", "-d", "--force-recreate"]),
          host.run(folder, ["down", "-t", "0"]),
          host.run(folder, ["restart", "-t", "0"]),
        ]);
        for (const { code, stderr } of mixed)
          expect({ code, internal: /TSC_INTERNAL|\n\s+at /.test(stderr) }).toEqual({ code: 0, internal: false });
        const states = (await rows(host, folder)).map((row) => row.State);
        expect([0, 3]).toContain(states.length);
        expect(states.every((state) => state === "running")).toBe(true);
      }
      await host.must(folder, "down", "-t", "0");
      await clean(host)();
    }),
    90_000,
  );

  check(
    "eight projects: nothing is lost, no address is given twice",
    onHost(mode, async (host) => {
      const first = host.project("p0", { "compose.yaml": stack(registry.image, ["a", "b"]) });
      await host.must(first, "pull", "-q");
      const folders = [
        first,
        ...[1, 2, 3, 4, 5, 6, 7].map((index) =>
          host.project(`p${index}`, { "compose.yaml": stack(registry.image, ["a", "b"]) }),
        ),
      ];
      const ups = await Promise.all(folders.map((folder) => host.run(folder, ["up", "-d"])));
      expect(ups.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(folders.map(() => ""));
      const addresses = await Promise.all(
        folders.flatMap((folder) =>
          ["a", "b"].map(
            async (service) =>
              /inet (10\.[\d.]+)/.exec(
                await host.must(folder, "exec", "-T", service, "ip", "addr", "show", "eth0"),
              )?.[1],
          ),
        ),
      );
      expect(new Set(addresses).size).toBe(16);
      const downs = await Promise.all(folders.map((folder) => host.run(folder, ["down", "-t", "0"])));
      expect(downs.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(folders.map(() => ""));
      await clean(host)();
    }),
    120_000,
  );
});

/** Starts a command and resolves once it has said `text`; the caller ends it. */
async function holder(host: TestHost, folder: string, args: string[], text: RegExp) {
  const user = host.mode === "user" ? testUser() : undefined;
  const child = spawn(TSCOMPOSE, args, {
    cwd: folder,
    env: host.env,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const exited = once(child, "exit");
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data;
  });
  await eventually(() => text.test(said));
  return { child, exited };
}

check(
  "who holds a lock dies, or stands still: nobody waits for the dead, all wait for the living",
  onHost("root", async (host) => {
    const folder = host.project("held", {
      "compose.yaml": `
services:
  a: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s, healthcheck: { test: ["CMD", "false"], interval: 1s, retries: 100 } }
  b: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s, depends_on: { a: { condition: service_healthy } } }
`,
    });
    await host.must(folder, "pull", "-q");
    const { child, exited } = await holder(host, folder, ["up", "-d"], /-a-1 +(Started|Waiting)/);
    // stopped, it still holds the project
    process.kill(child.pid ?? 0, "SIGSTOP");
    const waiting = await holder(host, folder, ["stop", "-t", "0"], /Waiting for another command/);
    process.kill(child.pid ?? 0, "SIGKILL");
    await exited;
    expect(await waiting.exited).toEqual([0, null]);
    await host.must(folder, "down", "-t", "0");
    await clean(host)();
  }),
  60_000,
);

check(
  "two pulls of one image fetch each layer once, or at least store it once",
  onHost("root", async (host) => {
    await using slow = await startPeer(registry.address, async (request) => {
      if (request.url?.includes("/blobs/")) await new Promise((resolve) => setTimeout(resolve, 150));
      return false;
    });
    const image = `${slow.address}/busybox:1`;
    const folders = ["one", "two", "three"].map((name) =>
      host.project(name, { "compose.yaml": `services: { a: { image: "${image}", command: "true" } }` }),
    );
    const pulls = await Promise.all([
      ...folders.map((folder) => host.run(folder, ["pull"])),
      ...folders.slice(0, 1).map((folder) => host.run(folder, ["up", "-d"])),
    ]);
    expect(pulls.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", "", "", ""]);
    expect(readdirSync(join(host.folder, "store/storage/layers"))).toHaveLength(1);
    expect(existsSync(join(host.folder, "store/images/tmp"))).toBe(true);
    await host.must(folders[0] ?? "", "down", "-t", "0");
    await clean(host)();
  }),
  60_000,
);
