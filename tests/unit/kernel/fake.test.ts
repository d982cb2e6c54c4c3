import { describe, expect, test } from "@jest/globals";
import { fakeKernel } from "../../../src/kernel/fake.js";

describe("the fake kernel", () => {
  test("records calls in order and can fail one", () => {
    const kernel = fakeKernel({
      before: ({ name }) => {
        if (name === "unmount") throw Object.assign(new Error("busy"), { code: "EBUSY" });
      },
    });
    kernel.mount("/a", "/b", "", ["bind"]);
    expect(kernel.isMountPoint("/b")).toBe(true);
    expect(() => kernel.unmount("/b")).toThrow("busy");
    expect(kernel.transcript()).toBe('mount /a /b  ["bind"] -');
  });

  test("locks exclude and wake waiters", async () => {
    const kernel = fakeKernel();
    const first = await kernel.lockFile("/l");
    expect(await kernel.lockFile("/l", { wait: false })).toBeUndefined();
    const second = kernel.lockFile("/l");
    first?.release();
    expect(await second).toBeDefined();
  });

  test("processes live until they are ended", async () => {
    const kernel = fakeKernel();
    const process = { pid: 7, startTime: "1" };
    kernel.addProcess(process);
    expect(kernel.signal(process, "SIGTERM")).toBe(true);
    const gone = kernel.waitForExit(process);
    kernel.endProcess(7);
    await gone;
    expect(kernel.isAlive(process)).toBe(false);
  });
});
