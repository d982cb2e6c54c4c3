/** SIGKILL at random moments of up, down and pull: the next command converges, and `down` leaves nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";

let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

/** Starts the command in its own process group and kills the whole group after a delay. */
async function killedAfter(host: TestHost, cwd: string, args: string[], delayMs: number): Promise<void> {
  const user = host.mode === "user" ? testUser() : undefined;
  const child = spawn(TSCOMPOSE, args, {
    cwd,
    env: host.env,
    stdio: "ignore",
    detached: true,
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const exited = once(child, "exit");
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (child.exitCode === null && child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // it ended by itself in this moment
    }
  }
  await exited;
}

const stack = (image: string) => `
services:
${["a", "b", "c", "d", "e"].map((name) => `  ${name}:\n    image: ${image}\n    command: sleep 1000\n    init: true\n    volumes: [data:/data]\n    stop_grace_period: 1s`).join("\n")}
volumes: { data: {} }
`;

const modes: Mode[] = ["root", "user"];
describe.each(modes)("kill -9, %s", (mode) => {
  const check = isRoot ? test : test.skip;

  check(
    "of up, then up again and down again",
    onHost(mode, async (host) => {
      const folder = host.project("killed", { "compose.yaml": stack(`${registry.address}/busybox:1`) });
      for (const delay of [60, 120, 180, 250, 320, 400, 500, 650, 800, 1000]) {
        await killedAfter(host, folder, ["up", "-d"], delay);
        await host.must(folder, "up", "-d");
        const running = (await host.must(folder, "ps", "-q")).trim().split("\n");
        expect(running).toHaveLength(5);
        await killedAfter(host, folder, ["down", "-v", "-t", "0"], delay);
        await host.must(folder, "down", "-v", "-t", "0");
        expect((await host.leaks()).lines).toEqual([]);
      }
    }),
    240_000,
  );
});
