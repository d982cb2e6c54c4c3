import { describe, expect, test } from "@jest/globals";
import { mergeHealthcheck } from "../../../../src/engine/runtime/create.js";
import { hostsFile } from "../../../../src/engine/runtime/hosts.js";
import { commandLine, containerEnvironment } from "../../../../src/engine/runtime/oci/environment.js";
import { checkTmpfsOptions, cleanTarget } from "../../../../src/engine/runtime/oci/mounts.js";
import { runtimeReason } from "../../../../src/engine/runtime/reasons.js";
import { restartsAfter } from "../../../../src/engine/runtime/supervise.js";
import { parseSyncLine } from "../../../../src/engine/runtime/sync-pipe.js";
import { signalNumber } from "../../../../src/lib/signals.js";

describe("what runtimes say becomes docker's words and codes", () => {
  test.each([
    ["crun: executable file `nope` not found in $PATH: No such file or directory", "not found in $PATH", 127],
    [
      'time="x" level=error msg="runc create failed: unable to start container process: exec: \\"nope\\": executable file not found in $PATH"',
      'exec: "nope": executable file not found in $PATH',
      127,
    ],
    ["open executable: Permission denied", "permission denied", 126],
    ["open executable: Operation not permitted", "permission denied", 126],
    ["mount `a`: No space left on device", "No space left on device", 125],
    ["", "no reason", 125],
  ])("%s", (said, message, exitCode) => {
    const reason = runtimeReason(said, "nope", 125);
    expect(reason.message).toContain(message);
    expect(reason.exitCode).toBe(exitCode);
  });
});

test("conmon's lines are read leniently", () => {
  expect(parseSyncLine('{"data": 42}')).toEqual({ data: 42 });
  expect(parseSyncLine('{"data": -1, "message": "a \\"b\\"\\n\\u0041"}')).toEqual({ data: -1, message: 'a "b"\nA' });
  expect(parseSyncLine('{"data": -1, "message": "é\x1f"}')).toEqual({ data: -1, message: "é\x1f" });
  expect(parseSyncLine("rubbish")).toEqual({ data: -1 });
});

test("environment: image, then spec, null removes, HOME from passwd", () => {
  const image = { env: ["A=1", "B=2", "HOME="] };
  const spec = { env: { B: null, C: "x=y" }, tty: true };
  expect(containerEnvironment(spec, image, { hostname: "h", home: "/srv" }).toSorted()).toEqual([
    "A=1",
    "C=x=y",
    "HOME=/srv",
    "HOSTNAME=h",
    expect.stringMatching(/^PATH=/),
    "TERM=xterm",
  ]);
  expect(() => containerEnvironment({ env: { A: "x\0y" } }, undefined, { hostname: "h", home: "" })).toThrow("NUL");
});

test("command line: an entrypoint of one's own drops the image's command", () => {
  const image = { entrypoint: ["e"], command: ["c"] };
  expect(commandLine({ name: "x" }, image)).toEqual(["e", "c"]);
  expect(commandLine({ name: "x", command: ["d"] }, image)).toEqual(["e", "d"]);
  expect(commandLine({ name: "x", entrypoint: ["f"] }, image)).toEqual(["f"]);
  expect(commandLine({ name: "x", entrypoint: [], command: ["d"] }, image)).toEqual(["d"]);
  // what dockerd makes of `command: []` and `entrypoint: ""`
  expect(commandLine({ name: "x", command: [] }, image)).toEqual(["e", "c"]);
  expect(commandLine({ name: "x", entrypoint: [] }, image)).toEqual(["c"]);
  expect(commandLine({ name: "x", entrypoint: ["f"], command: [] }, image)).toEqual(["f"]);
  expect(() => commandLine({ name: "x" }, undefined)).toThrow("no command specified");
});

test("mount targets and tmpfs options are checked", () => {
  expect(cleanTarget("/a//b/../c/")).toBe("/a/c");
  expect(() => cleanTarget("/")).toThrow();
  expect(() => cleanTarget("a")).toThrow();
  expect(checkTmpfsOptions(["size=64m", "mode=1770", "uid=5", "noexec"])).toHaveLength(4);
  expect(() => checkTmpfsOptions(["context=x"])).toThrow("unknown tmpfs option");
});

test("health checks: the spec's over the image's, NONE switches off", () => {
  const image = { test: ["CMD", "a"], intervalMs: 5 };
  expect(mergeHealthcheck(undefined, image)).toEqual(image);
  expect(mergeHealthcheck({ test: [], retries: 2 }, image)).toEqual({ ...image, retries: 2 });
  expect(mergeHealthcheck({ test: ["NONE"] }, image)).toBeUndefined();
  expect(mergeHealthcheck(undefined, undefined)).toBeUndefined();
});

test("signals by name, short name, number and real-time offset", () => {
  expect(["SIGTERM", "term", "15", "SIGRTMIN+3", "RTMAX-1"].map(signalNumber)).toEqual([15, 15, 15, 37, 63]);
  expect(() => signalNumber("SIGWHAT")).toThrow("invalid signal");
  expect(() => signalNumber("0")).toThrow("invalid signal");
});

test("restart policies", () => {
  const row = (policy: "always" | "on-failure" | "unless-stopped" | "no", restartCount = 0, stoppedByUser = false) => ({
    spec: { name: "x", image: "x", restart: { policy, maxRetries: 2 } },
    restartCount,
    stoppedByUser,
  });
  expect(restartsAfter(row("always"), 0)).toBe(true);
  expect(restartsAfter(row("unless-stopped", 0, true), 1)).toBe(false);
  expect(restartsAfter(row("on-failure"), 0)).toBe(false);
  expect(restartsAfter(row("on-failure", 1), 3)).toBe(true);
  expect(restartsAfter(row("on-failure", 2), 3)).toBe(false);
  expect(restartsAfter(row("no"), 3)).toBe(false);
});

test("/etc/hosts holds own addresses and checked extra hosts only", () => {
  const row = {
    spec: {
      name: "x",
      image: "x",
      domainname: "example.org",
      extraHosts: [
        { host: "gw", ip: "host-gateway" },
        { host: "six", ip: "[::5]" },
        { host: "evil\n1.2.3.4 bank", ip: "1.2.3.4" },
        { host: "bad", ip: "nonsense" },
      ],
    },
    record: { hostname: "web" } as never,
  };
  const endpoint = { ipv4: "10.1.0.2", ipv6: "" } as never;
  expect(
    hostsFile(row, [endpoint], () => "10.1.0.1")
      .split("\n")
      .slice(6),
  ).toEqual(["10.1.0.1\tgw", "::5\tsix", "10.1.0.2\tweb.example.org web", ""]);
});
