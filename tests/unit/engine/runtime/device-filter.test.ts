import { describe, expect, test } from "@jest/globals";
import { mountsWithDevices } from "../../../../src/engine/runtime/confine.js";
import {
  deviceFilterWarning,
  lacksDeviceFilter,
  withoutDeviceCapabilities,
  withoutDevices,
} from "../../../../src/engine/runtime/oci/device-filter.js";
import { boundSource } from "../../../../src/engine/runtime/oci/devices.js";
import type { OciConfig } from "../../../../src/engine/runtime/oci/types.js";
import { parseMounts } from "../../../../src/kernel/mount-table.js";

const cgroups = (filtersDevices: boolean) => ({
  version: "v1" as const,
  parent: undefined,
  controllers: new Set<string>(),
  hierarchies: [],
  reason: "",
  hasSwap: false,
  filtersDevices,
});

describe("a host without a device cgroup", () => {
  test("is one for root alone, and not for privileged containers", () => {
    expect(lacksDeviceFilter({ rootless: false, cgroups: cgroups(false) }, {})).toBe(true);
    expect(lacksDeviceFilter({ rootless: false, cgroups: cgroups(false) }, { privileged: true })).toBe(false);
    expect(lacksDeviceFilter({ rootless: true, cgroups: cgroups(false) }, {})).toBe(false);
    expect(lacksDeviceFilter({ rootless: false, cgroups: cgroups(true) }, {})).toBe(false);
    expect(deviceFilterWarning({ cgroups: cgroups(false) })).toContain("no devices controller");
  });
  test("takes what makes nodes away, and refuses to be asked for it", () => {
    const available = new Set(["CAP_CHOWN", "CAP_MKNOD", "CAP_SYS_ADMIN"]);
    expect([...withoutDeviceCapabilities({ name: "a", image: "x" }, available)]).toEqual(["CAP_CHOWN"]);
    for (const name of ["mknod", "CAP_SYS_ADMIN", "all"]) {
      expect(() => withoutDeviceCapabilities({ name: "a", image: "x", capAdd: [name] }, available)).toThrow(
        `container a: cap_add ${name} needs a device filter`,
      );
    }
  });
  test("mounts everything nodev but the runtime's own /dev and open nodes", () => {
    const bind = { type: "bind", options: ["rbind"] };
    const mounts = [
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid"] },
      { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["dev", "exec"] },
      { ...bind, destination: "/folder", source: "/folder" },
      { ...bind, destination: "/file", source: "/file" },
      { ...bind, destination: "/quiet", source: "/quiet" },
    ];
    const made = withoutDevices("a", mounts, (source) => ({
      openNode: source === "/quiet" ? "/dev/null" : undefined,
      isFolder: source === "/folder",
    }));
    expect(made.map(({ source, options }) => [source, options])).toEqual([
      ["tmpfs", ["nosuid"]],
      ["tmpfs", ["exec", "nodev"]],
      ["/folder", ["rbind", "rnodev"]],
      ["/file", ["rbind", "nodev"]],
      ["/dev/null", ["rbind"]],
    ]);
    const dev = { ...bind, destination: "/dev", source: "/dev" };
    expect(() => withoutDevices("a", [dev], () => ({ openNode: undefined, isFolder: true }))).toThrow(
      "a volume at /dev",
    );
  });
  test("a node is open only when the rules let it be read and written", () => {
    const rule = { allow: true, type: "c", major: 1, minor: 3, access: "rwm" };
    expect(boundSource("/dev/null", [rule])).toEqual({ openNode: "/dev/null", isFolder: false });
    expect(boundSource("/dev/null", [{ ...rule, access: "r" }])).toEqual({ openNode: undefined, isFolder: false });
    expect(boundSource("/dev/null", [{ ...rule, allow: false }])).toEqual({ openNode: undefined, isFolder: false });
    expect(boundSource("/dev", [rule])).toEqual({ openNode: undefined, isFolder: true });
    expect(boundSource("/proc/version", [rule])).toEqual({ openNode: undefined, isFolder: false });
  });
  test("what the runtime mounted without nodev is found", () => {
    const config = {
      linux: { maskedPaths: ["/proc/keys"], readonlyPaths: ["/proc/sys"] },
      mounts: [{ destination: "/mnt/x", type: "bind", source: "/dev/x", options: ["bind"] }],
    } as unknown as OciConfig;
    const line = (target: string, options: string) => `1 2 0:3 / ${target} ${options} - tmpfs tmpfs rw`;
    const good = [line("/", "rw,nodev"), line("/dev", "rw"), line("/proc/keys", "ro"), line("/mnt/x", "rw")];
    expect(mountsWithDevices(parseMounts(good.join("\n")), config)).toEqual([]);
    expect(mountsWithDevices(parseMounts([...good, line("/b\\040c", "rw,nosuid")].join("\n")), config)).toEqual([
      "/b c",
    ]);
  });
});
