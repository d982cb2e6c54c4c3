/** Drivers with a parent interface, and what no driver takes, on the real kernel; needs root. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "@jest/globals";
import { codeOf, freePort, openBench } from "./support.js";

const [PARENT, PEER] = ["tscdr0", "tscdr1"];
const lan = { subnets: [{ subnet: "10.213.11.0/24", gateway: "10.213.11.1" }] };

// at once: which kinds of links there are decides which tests there are
execFileSync("ip", ["link", "add", PARENT, "type", "veth", "peer", "name", PEER]);
execFileSync("ip", ["link", "set", PARENT, "up"]);
execFileSync("ip", ["link", "set", PEER, "up"]);
execFileSync("ip", ["addr", "add", "10.213.11.1/24", "dev", PEER]);
afterAll(() => void execFileSync("ip", ["link", "delete", PARENT]));

/** Whether the kernel makes such links. */
const can = (type: string): boolean =>
  spawnSync("ip", ["link", "add", "tscdr-try", "link", PARENT, "type", type]).status === 0 &&
  spawnSync("ip", ["link", "delete", "tscdr-try"]).status === 0;

const KINDS = ["macvlan", "ipvlan"].filter((type) => {
  if (can(type)) return true;
  process.stderr.write(`this kernel has no ${type}: not tested\n`);
  return false;
});

test.each(KINDS)("an address on a %s parent is free again at once", async (driver) => {
  await using bench = openBench();
  await bench.networking.create({ name: "lan", driver, driverOpts: { parent: PARENT }, ...lan });
  const id = bench.addContainer("a");
  const mac = driver === "macvlan" ? { mac: "02:42:0a:d5:0b:07" } : {};
  const request = { id, name: "a", attachments: [{ network: "lan", ipv4: "10.213.11.7", ...mac }], ports: [] };
  // attaching again detaches first, and the kernel takes its time to end a namespace
  for (let round = 0; round < 3; round++) {
    const { endpoints, netnsPath } = await bench.networking.attach(request);
    expect(endpoints[0]).toMatchObject({ ipv4: "10.213.11.7", interfaceName: "eth0", ...mac });
    const ping = bench.inside(netnsPath, ["busybox", "ping", "-c1", "-W2", "10.213.11.1"]);
    expect(ping.stdout).toContain("1 packets received");
  }
});

test("a container with an address of its own publishes no ports, and is told so", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "lan", driver: "macvlan", driverOpts: { parent: PARENT }, ...lan });
  await bench.networking.create({ name: "app" });
  const id = bench.addContainer("a");
  const ports = [{ hostPort: await freePort(), containerPort: 80, protocol: "tcp" as const, hostIp: "" }];
  const attached = await bench.networking.attach({ id, name: "a", attachments: [{ network: "lan" }], ports });
  expect(attached.ports).toEqual([]);
  expect(bench.warnings.filter((text) => text.includes("ports are not published"))).toHaveLength(1);
  const both = [{ network: "lan" }, { network: "app", gatewayPriority: 1 }];
  expect((await bench.networking.attach({ id, name: "a", attachments: both, ports })).ports).not.toEqual([]);
});

test("what a driver cannot do is refused before anything is made", async () => {
  await using bench = openBench();
  const make = (driver: string, driverOpts: Record<string, string>, more: object = lan) =>
    codeOf(bench.networking.create({ name: "lan", driver, driverOpts, ...more }));
  for (const driver of ["macvlan", "ipvlan"]) {
    expect(await make(driver, { parent: "tsc-none" })).toBe("TSC_NETWORK_PARENT");
    expect(await make(driver, { parent: "all" })).toBe("TSC_INTERFACE_NAME");
    expect(await make(driver, { parent: PARENT, mode: "l4" })).toBe("TSC_NETWORK_OPTION");
    expect(await make(driver, { parent: PARENT, mtu: "67" })).toBe("TSC_NETWORK_OPTION");
    expect(await make(driver, { parent: PARENT }, {})).toBe("TSC_NETWORK_SUBNET_INVALID");
  }
  expect(await make("bridge", { "com.docker.network.bridge.enable_icc": "perhaps" })).toBe("TSC_NETWORK_OPTION");
  expect(await make("bridge", { "com.docker.network.bridge.host_binding_ipv4": "::" })).toBe("TSC_NETWORK_OPTION");
  for (const driver of ["host", "none", "overlay", "constructor"])
    expect(await make(driver, {})).toBe("TSC_NETWORK_DRIVER");
  expect(await bench.networking.list()).toEqual([]);
  // an option of another driver is none of this one
  await bench.networking.create({ name: "app", driverOpts: { macvlan_mode: "vepa" } });
  expect(bench.warnings.at(-1)).toContain("macvlan_mode is not known to bridge");
  await bench.networking.create({ name: "lan", driver: "ipvlan", driverOpts: { parent: PARENT }, ...lan });
  const attachments = [{ network: "lan", mac: "02:42:0a:d5:0b:08" }];
  const id = bench.addContainer("a");
  expect(await codeOf(bench.networking.attach({ id, name: "a", attachments, ports: [] }))).toBe("TSC_MAC_ADDRESS");
});

test("what a person's own plugins leave outside the namespace goes with the container", async () => {
  const file = "/etc/cni/net.d/88-tsctest-masq.conflist";
  mkdirSync("/etc/cni/net.d", { recursive: true });
  await using bench = openBench();
  const ipam = { type: "static", addresses: [{ address: "10.213.12.5/24", gateway: "10.213.12.1" }] };
  const plugin = { type: "bridge", bridge: "tscdr-own", isGateway: true, ipMasq: true, ipam };
  writeFileSync(file, JSON.stringify({ cniVersion: "1.0.0", name: "tsctest-masq", plugins: [plugin] }));
  const isLeft = (): boolean => execFileSync("iptables-save", { encoding: "utf8" }).includes("10.213.12.5");
  try {
    const id = bench.addContainer("a");
    await bench.networking.attach({ id, name: "a", attachments: [{ network: "tsctest-masq" }], ports: [] });
    expect(isLeft()).toBe(true);
    await bench.networking.detach(id);
    expect(isLeft()).toBe(false);
  } finally {
    rmSync(file);
    execFileSync("ip", ["link", "delete", "tscdr-own"]);
  }
});
