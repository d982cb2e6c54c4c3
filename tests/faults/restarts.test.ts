/** Crash loops, restart policies and health probes that misbehave, under the supervisor. */
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost } from "../helpers/host.js";
import { check, killAll, modes, processesOf, rows } from "./support.js";

const registry = busyboxRegistry();

interface Inspected {
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Log: readonly { Output: string; ExitCode: number }[] };
  };
}
const inspect = async (host: TestHost, folder: string, name: string): Promise<Inspected> => {
  const text = await host.must(folder, "container", "inspect", name);
  return (JSON.parse(text) as Inspected[])[0] as Inspected;
};
const stateOf = async (host: TestHost, folder: string, service: string) =>
  (await rows(host, folder)).find((row) => row.Service === service);

describe.each(modes)("restart policies, %s", (mode) => {
  check(
    "a crash loop backs off, on-failure:3 gives up after three, a success is final, a stop is final",
    onHost(mode, async (host) => {
      const folder = host.project("loop", {
        "compose.yaml": `
services:
  always: { image: "${registry.image}", command: sh -c "exit 3", restart: always, stop_grace_period: 0s }
  three: { image: "${registry.image}", command: sh -c "echo run; exit 7", restart: "on-failure:3", stop_grace_period: 0s }
  fine: { image: "${registry.image}", command: sh -c "exit 0", restart: on-failure, stop_grace_period: 0s }
  stopped: { image: "${registry.image}", command: sleep 1000, init: true, restart: unless-stopped, stop_grace_period: 0s }
`,
      });
      await host.must(folder, "up", "-d");
      const three = await eventually(async () => {
        const row = await stateOf(host, folder, "three");
        return row?.State === "exited" ? row : undefined;
      }, 30_000);
      expect(three.ExitCode).toBe(7);
      expect((await inspect(host, folder, "loop-three-1")).RestartCount).toBe(3);
      expect((await host.must(folder, "logs", "--no-log-prefix", "three")).match(/run/g)).toHaveLength(4);
      expect(await stateOf(host, folder, "fine")).toMatchObject({ State: "exited", ExitCode: 0 });
      const always = await eventually(async () => {
        const count = (await inspect(host, folder, "loop-always-1")).RestartCount;
        return count >= 4 ? count : undefined;
      }, 30_000);
      // the wait doubles from 100 ms: nobody gets far in the time of this test
      expect(always).toBeLessThan(15);
      await host.must(folder, "stop", "-t", "0", "stopped", "always");
      expect(await killAll(host, "tsc-supd")).toBeLessThanOrEqual(1);
      await host.must(folder, "ps");
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect((await stateOf(host, folder, "stopped"))?.State).toBe("exited");
      expect((await stateOf(host, folder, "always"))?.State).toBe("exited");
      await host.must(folder, "down", "-t", "0");
      await eventually(() => processesOf(host, "tsc-supd").length === 0);
      expect((await host.leaks()).lines).toEqual([]);
    }),
    90_000,
  );
});

check(
  "killed from outside, killed by the kernel for memory: the exit code is 137 and the policy decides",
  onHost("root", async (host) => {
    const folder = host.project("killed", {
      "compose.yaml": `
services:
  plain: { image: "${registry.image}", command: sleep 1000, stop_grace_period: 0s }
  back: { image: "${registry.image}", command: sleep 1000, restart: on-failure, stop_grace_period: 0s }
`,
    });
    await host.must(folder, "up", "-d");
    await host.must(folder, "exec", "-T", "plain", "true");
    for (const { pid, argv } of processesOf(host, "conmon")) {
      void argv;
      const { execFileSync } = await import("node:child_process");
      execFileSync("sh", ["-c", `kill -9 $(cat /proc/${pid}/task/${pid}/children)`]);
    }
    await eventually(async () => (await stateOf(host, folder, "plain"))?.State === "exited");
    expect((await stateOf(host, folder, "plain"))?.ExitCode).toBe(137);
    await eventually(async () => (await stateOf(host, folder, "back"))?.State === "running");
    await host.must(folder, "down", "-t", "0");
    expect((await host.leaks()).lines).toEqual([]);
  }),
  60_000,
);

check(
  "a probe that hangs is killed at its timeout with all it started; failures in the start period do not count",
  onHost("root", async (host) => {
    const folder = host.project("probes", {
      "compose.yaml": `
services:
  hangs:
    image: "${registry.image}"
    command: sleep 1000
    init: true
    stop_grace_period: 0s
    healthcheck: { test: ["CMD-SHELL", "sleep 777 & sleep 778"], interval: 1s, timeout: 1s, retries: 2 }
  late:
    image: "${registry.image}"
    command: sh -c "sleep 3; touch /ready; sleep 1000"
    init: true
    stop_grace_period: 0s
    healthcheck: { test: ["CMD", "test", "-e", "/ready"], interval: 1h, timeout: 5s, retries: 1, start_period: 60s, start_interval: 500ms }
`,
    });
    const up = await host.run(folder, ["up", "-d", "--wait", "--wait-timeout", "30"]);
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(/hangs-1.* is unhealthy/);
    expect((await stateOf(host, folder, "hangs"))?.Health).toBe("unhealthy");
    const log = (await inspect(host, folder, "probes-hangs-1")).State.Health?.Log ?? [];
    expect(log.at(-1)).toMatchObject({ ExitCode: -1, Output: expect.stringContaining("exceeded timeout") });
    // one probe at a time may run; none of the killed ones is left
    const sleeping = (await host.must(folder, "exec", "-T", "hangs", "ps")).match(/sleep 77[78]/g) ?? [];
    expect(sleeping.length).toBeLessThanOrEqual(3);
    await eventually(async () => (await stateOf(host, folder, "late"))?.Health === "healthy");
    await host.must(folder, "down", "-t", "0");
    expect((await host.leaks()).lines).toEqual([]);
  }),
  60_000,
);
