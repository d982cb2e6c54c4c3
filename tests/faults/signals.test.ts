/** What a person or a terminal does to a running command: ^C once and twice, kill, a closed terminal, a closed pipe. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";
import { startPeer } from "../integration/images/fixtures.js";
import { check, modes, rows, unfinished } from "./support.js";

const registry = busyboxRegistry();

const stack = (image: string): string => `
services:
  polite: { image: "${image}", command: sh -c "trap 'echo bye; exit 0' TERM INT; echo ready; while :; do sleep 0.1; done", stop_grace_period: 20s }
  deaf: { image: "${image}", command: sh -c "trap '' TERM INT; echo ready; while :; do sleep 1; done", stop_grace_period: 60s }
`;

function begin(host: TestHost, cwd: string, args: readonly string[]) {
  const user = host.mode === "user" ? testUser() : undefined;
  const child: ChildProcess = spawn(TSCOMPOSE, [...args], {
    cwd,
    env: host.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const said = { out: "", err: "" };
  child.stdout?.on("data", (data: Buffer) => {
    said.out += data;
  });
  child.stderr?.on("data", (data: Buffer) => {
    said.err += data;
  });
  return { child, said, ended: once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]> };
}
const send = (child: ChildProcess, signal: NodeJS.Signals): void => void process.kill(-(child.pid ?? 0), signal);
const crash = /TSC_INTERNAL|Unhandled|\n\s+at /;

describe.each(modes)("attached up, %s", (mode) => {
  check(
    "^C stops gracefully and ends with 130, a second one kills what is deaf; SIGTERM ends with 143",
    onHost(mode, async (host) => {
      const folder = host.project("attached", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "pull", "-q");
      const twice = begin(host, folder, ["up"]);
      await eventually(() => (twice.said.out.match(/ready/g) ?? []).length === 2);
      send(twice.child, "SIGINT");
      await eventually(() => /polite-1.*bye/.test(twice.said.out));
      send(twice.child, "SIGINT");
      expect(await twice.ended).toEqual([130, null]);
      expect(twice.said.err).not.toMatch(crash);
      expect((await rows(host, folder)).map((row) => [row.Service, row.State, row.ExitCode])).toEqual([
        ["deaf", "exited", 137],
        ["polite", "exited", 0],
      ]);
      const terminated = begin(host, folder, ["up", "polite"]);
      await eventually(() => /ready/.test(terminated.said.out));
      send(terminated.child, "SIGTERM");
      const [code] = await terminated.ended;
      expect([130, 143]).toContain(code);
      await eventually(async () => (await rows(host, folder)).every((row) => row.State === "exited"));
      await host.must(folder, "down", "-t", "0");
      expect((await host.leaks()).lines).toEqual([]);
    }),
    90_000,
  );

  check(
    "a closed terminal and a closed pipe end the command without a crash, and the project stays usable",
    onHost(mode, async (host) => {
      const folder = host.project("closed", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "pull", "-q");
      const hung = begin(host, folder, ["up", "polite"]);
      await eventually(() => /ready/.test(hung.said.out));
      send(hung.child, "SIGHUP");
      await hung.ended;
      expect(hung.said.err).not.toMatch(crash);
      // as docker compose: nobody asked for a stop
      expect((await rows(host, folder)).map((row) => row.State)).toEqual(["running"]);
      await host.must(folder, "stop", "-t", "0", "polite");
      const broken = begin(host, folder, ["up", "polite"]);
      await eventually(() => /ready/.test(broken.said.out));
      broken.child.stdout?.destroy();
      // the next line of the service finds the pipe closed
      await host.run(folder, ["kill", "-s", "TERM", "polite"]);
      await broken.ended;
      expect(broken.said.err).not.toMatch(crash);
      for (const args of [["logs"], ["ps", "-a"], ["config"], ["events", "--since", "1h", "--until", "0s"]]) {
        const early = begin(host, folder, args);
        early.child.stdout?.destroy();
        await early.ended;
        expect({ args, crash: crash.test(early.said.err) }).toEqual({ args, crash: false });
      }
      await host.must(folder, "down", "-t", "0");
      expect((await host.leaks()).lines).toEqual([]);
      expect(unfinished(host)).toEqual([]);
    }),
    90_000,
  );
});

check(
  "^C in a pull and in a build: 130, nothing half-made, and the next one is whole",
  onHost("root", async (host) => {
    let held = "/blobs/";
    await using slow = await startPeer(registry.address, async (request) => {
      if (request.url?.includes(held) === true) await new Promise((resolve) => setTimeout(resolve, 800));
      return false;
    });
    const folder = host.project("cancelled", {
      "compose.yaml": `services:
  a: { image: "${slow.address}/busybox:1" }
  b: { build: ., image: cancelled }
  c: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s }
`,
      Dockerfile: `FROM ${registry.image}\nRUN echo begun; sleep 5\n`,
    });
    const pull = begin(host, folder, ["pull", "a"]);
    await eventually(() => slow.requests.some(({ url }) => url.includes("/blobs/")));
    send(pull.child, "SIGINT");
    expect(await pull.ended).toEqual([130, null]);
    expect(pull.said.err).not.toMatch(crash);
    expect(unfinished(host)).toEqual([]);
    // so does an attached up that has come no further, and what runs goes on
    await host.must(folder, "up", "-d", "c");
    const requests = slow.requests.length;
    // the layers are there by now
    held = "/manifests/";
    const up = begin(host, folder, ["up", "--menu=false", "a", "c"]);
    await eventually(() => slow.requests.slice(requests).some(({ url }) => url.includes(held)));
    send(up.child, "SIGINT");
    expect(await up.ended).toEqual([130, null]);
    expect(up.said.err).toContain(`Image ${slow.address}/busybox:1 Interrupted`);
    expect(up.said.err).not.toMatch(/Gracefully|aborted/);
    expect((await host.must(folder, "ps", "--services", "--status", "running")).trim()).toBe("c");
    await host.must(folder, "down");
    expect(unfinished(host)).toEqual([]);
    const build = begin(host, folder, ["build", "--progress", "plain", "b"]);
    await eventually(() => /begun/.test(build.said.out + build.said.err));
    send(build.child, "SIGINT");
    expect(await build.ended).toEqual([130, null]);
    expect(build.said.err).not.toMatch(crash);
    expect(unfinished(host)).toEqual([]);
    expect((await host.leaks()).lines).toEqual([]);
    await host.must(folder, "pull", "a");
  }),
  60_000,
);
