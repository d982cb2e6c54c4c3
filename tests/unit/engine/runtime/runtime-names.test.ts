import { expect, test } from "@jest/globals";
import { chooseRuntime } from "../../../../src/engine/runtime/oci-runtime.js";
import { fakeKernel } from "../../../../src/kernel/fake.js";

const kernel = fakeKernel();
const cgroups = {
  version: "v2" as const,
  parent: "/tscompose",
  controllers: new Set<string>(),
  hierarchies: [],
  reason: "",
  hasSwap: false,
  filtersDevices: true,
};
const choose = (wanted: string, env: Record<string, string> = {}) =>
  chooseRuntime({ kernel, env }, { rootless: false, cgroups }, wanted);

test("a compose file names no other program of the host as its runtime, and no path", () => {
  for (const wanted of ["/bin/sh", "./evil", "../../tmp/evil", "a/b", "sh", "reboot", "mkfs.ext4", "crun\n"]) {
    expect(() => choose(wanted)).toThrow(/is not one that may be named/);
  }
});
test("the caller's environment gives a name its path", () => {
  expect(choose("mine", { TSCOMPOSE_RUNTIMES: "x=/y,mine=/bin/sh" })).toMatchObject({ name: "sh", path: "/bin/sh" });
  expect(() => choose("mine", { TSCOMPOSE_RUNTIMES: "mine=bin/sh" })).toThrow(/is not one that may be named/);
  expect(() => choose("mine", { TSCOMPOSE_RUNTIMES: "mine=/not/there" })).toThrow(/is not installed/);
});
test("runc as root needs cgroups", () => {
  const host = {
    rootless: false,
    cgroups: { ...cgroups, parent: undefined, reason: "/sys/fs/cgroup is not writable" },
  };
  expect(() => chooseRuntime({ kernel, env: { TSCOMPOSE_RUNTIMES: "r=/x/runc" } }, host, "r")).toThrow(
    /is not installed/,
  );
});
