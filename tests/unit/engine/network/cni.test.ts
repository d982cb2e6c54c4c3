import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import {
  type CniHost,
  cniAdd,
  cniCheck,
  cniDel,
  parseConflist,
  pluginInput,
} from "../../../../src/engine/network/cni.js";
import type { Kernel, RunProgramOptions } from "../../../../src/kernel/kernel.js";

const dir = mkdtempSync(join(tmpdir(), "tsc-cni-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** A plugin that notes its calls; ADD appends its name to `routes` of the previous result. */
function plugin(name: string, addExit = 0): void {
  writeFileSync(
    join(dir, name),
    `#!/bin/sh\ninput=$(cat)\necho "$CNI_COMMAND ${name} $CNI_IFNAME [$CNI_ARGS] $input" >> ${dir}/log\n[ "$CNI_COMMAND" != ADD ] || { [ ${addExit} = 0 ] || { echo '{"code":7,"msg":"bad ${name}"}'; exit ${addExit}; }; echo '{"cniVersion":"1.0.0","routes":[{"dst":"${name}"}]}'; }\n`,
  );
  chmodSync(join(dir, name), 0o755);
}
function calls(): string[] {
  const text = readFileSync(join(dir, "log"), "utf8");
  writeFileSync(join(dir, "log"), "");
  return text.trimEnd().split("\n");
}
const kernel = {
  async run(program: string, args: readonly string[], { env, input, timeoutMs }: RunProgramOptions) {
    const limits = { timeout: timeoutMs, maxBuffer: 4 << 20, killSignal: "SIGKILL" as const };
    const { status, stdout, stderr, error } = spawnSync(program, args, { env, input, encoding: "utf8", ...limits });
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    return { code: status, stdout, stderr, timedOut: code === "ETIMEDOUT", overflow: code === "ENOBUFS" };
  },
} as unknown as Kernel;
const host: CniHost = { kernel, dirs: [dir], env: { PATH: process.env.PATH ?? "" }, prefix: [] };
const attachment = {
  containerId: "c1",
  netns: "/run/x",
  ifName: "eth0",
  args: "IgnoreUnknown=1",
  capabilityArgs: { portMappings: [1], mac: "m" },
};

test("ADD chains results in order, DEL goes backwards with the final one, CHECK forwards", async () => {
  for (const name of ["one", "two"]) plugin(name);
  const list = parseConflist(
    JSON.stringify({
      cniVersion: "1.0.0",
      name: "app",
      plugins: [
        { type: "one", x: 1 },
        { type: "two", capabilities: { portMappings: true } },
      ],
    }),
    "test",
  );
  const result = await cniAdd(host, list, attachment);
  expect(result).toEqual({ cniVersion: "1.0.0", routes: [{ dst: "two" }] });
  expect(calls()).toEqual([
    'ADD one eth0 [IgnoreUnknown=1] {"type":"one","x":1,"name":"app","cniVersion":"1.0.0"}',
    'ADD two eth0 [IgnoreUnknown=1] {"type":"two","name":"app","cniVersion":"1.0.0","runtimeConfig":{"portMappings":[1]},"prevResult":{"cniVersion":"1.0.0","routes":[{"dst":"one"}]}}',
  ]);
  await cniDel(host, list, attachment, result);
  expect(calls().map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["DEL two", "DEL one"]);
  await cniCheck(host, list, attachment, result);
  const checked = calls();
  expect(checked.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["CHECK one", "CHECK two"]);
  expect(checked[0]).toContain('"prevResult":{"cniVersion":"1.0.0","routes":[{"dst":"two"}]}');
  await cniCheck(host, { ...list, disableCheck: true }, attachment, result);
  expect(calls()).toEqual([""]);
});

test("a failed ADD runs DEL of the whole list and tells the plugin's own words", async () => {
  plugin("one");
  plugin("fails", 4);
  const list = parseConflist(
    JSON.stringify({ cniVersion: "0.4.0", name: "app", plugins: [{ type: "one" }, { type: "fails" }] }),
    "test",
  );
  await expect(cniAdd(host, list, attachment)).rejects.toMatchObject({
    code: "TSC_CNI_FAILED",
    message: "network app: CNI plugin fails failed to ADD (exit 4): bad fails",
  });
  expect(calls().map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    "ADD one",
    "ADD fails",
    "DEL fails",
    "DEL one",
  ]);
});

test("a plugin that hangs is killed at its time, one that floods is cut off", async () => {
  writeFileSync(join(dir, "hangs"), "#!/bin/sh\nexec sleep 60\n");
  writeFileSync(join(dir, "floods"), "#!/bin/sh\nexec cat /dev/zero\n");
  for (const name of ["hangs", "floods"]) chmodSync(join(dir, name), 0o755);
  const list = (type: string) => parseConflist(JSON.stringify({ cniVersion: "1.0.0", name: "app", type }), "test");
  await expect(cniAdd({ ...host, timeoutMs: 200 }, list("hangs"), attachment)).rejects.toMatchObject({
    code: "TSC_PROGRAM_TIMEOUT",
  });
  await expect(cniAdd(host, list("floods"), attachment)).rejects.toMatchObject({ code: "TSC_PROGRAM_OUTPUT" });
});

test.each([
  ["not JSON", "{"],
  ["no object", "[]"],
  ["no name", '{"plugins":[{"type":"a"}]}'],
  ["a path for a name", '{"name":"../x","plugins":[{"type":"a"}]}'],
  ["a path for a type", '{"name":"x","plugins":[{"type":"../a"}]}'],
  ["no plugins", '{"name":"x","plugins":[]}'],
  ["an unknown version", '{"name":"x","cniVersion":"9.0.0","plugins":[{"type":"a"}]}'],
])("a list with %s is refused", (_what, text) => {
  expect(() => parseConflist(text, "f")).toThrow();
});

test("capabilities are handed over only when the plugin declares them", () => {
  const list = { cniVersion: "1.0.0", name: "n", plugins: [] };
  expect(
    pluginInput(list, { type: "a", capabilities: { mac: true, ips: false } }, { mac: "m", ips: ["i"] }, undefined),
  ).toEqual({
    type: "a",
    name: "n",
    cniVersion: "1.0.0",
    runtimeConfig: { mac: "m" },
  });
});

test("a hostile id or interface never reaches a plugin", async () => {
  plugin("one");
  const list = parseConflist('{"cniVersion":"1.0.0","name":"app","type":"one"}', "test");
  for (const change of [
    { containerId: "../x" },
    { containerId: "a;b" },
    { ifName: "a/b" },
    { ifName: "sixteen-letters-" },
  ]) {
    await expect(cniAdd(host, list, { ...attachment, ...change })).rejects.toMatchObject({ kind: "invalid-input" });
  }
  expect(calls()).toEqual([""]);
});
