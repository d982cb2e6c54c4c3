import { describe, expect, test } from "@jest/globals";
import { parseDevice } from "../../../../src/engine/volumes/device.js";
import { validateVolumeName } from "../../../../src/engine/volumes/index.js";

describe("parseDevice", () => {
  test("no options is a plain folder", () => {
    expect(parseDevice("v", {}, false)).toBeUndefined();
  });
  test("bind, read-only", () => {
    expect(parseDevice("v", { type: "none", o: "bind,ro", device: "/data" }, true)).toEqual({
      source: "/data",
      type: "none",
      flags: ["bind"],
      data: "",
      readOnlyRemount: true,
    });
  });
  test("tmpfs and nfs", () => {
    expect(parseDevice("v", { type: "tmpfs", device: "tmpfs", o: "size=10m,uid=1000,noexec" }, true)).toMatchObject({
      flags: ["noexec"],
      data: "size=10m,uid=1000",
    });
    expect(parseDevice("v", { type: "nfs", device: ":/x", o: "addr=10.0.0.1,rw,nolock" }, false)).toMatchObject({
      source: ":/x",
      type: "nfs",
      data: "addr=10.0.0.1,nolock",
    });
  });
  test.each([
    [{ type: "nfs", device: ":/x", o: "addr=1.2.3.4" }, true, "may not mount nfs"],
    [{ type: "nfs", device: ":/x" }, false, "needs o: addr=SERVER"],
    [{ type: "none", o: "bind", device: "relative" }, false, "not an absolute path"],
    [{ device: "/x" }, false, "type is missing"],
    [{ type: "ext4" }, false, "device is missing"],
    [{ mountpoint: "/x" }, false, '"mountpoint" is not known'],
    [{ size: "1g" }, false, "quotas"],
  ])("%j is refused", (options, rootless, message) => {
    expect(() => parseDevice("v", options as Record<string, string>, rootless)).toThrow(message);
  });
});

test("volume names", () => {
  expect(validateVolumeName("a_b.c-1")).toBe("a_b.c-1");
  for (const name of ["", "../x", "/x", "-a", "a/b", "a b", "a".repeat(256)]) {
    expect(() => validateVolumeName(name)).toThrow("is not a volume name");
  }
});
