import { expect, test } from "@jest/globals";
import { bridgeJoinOf } from "../../../../src/engine/network/drivers/bridge-plugin.js";

const addresses = [
  { address: "10.89.0.2/24", gateway: "10.89.0.1" },
  { address: "fd00:89::2/64", gateway: "fd00:89::1" },
];
const plugin = {
  type: "bridge",
  bridge: "tsc-1",
  isGateway: true,
  ipMasq: false,
  hairpinMode: true,
  capabilities: { mac: true },
  ipam: {
    type: "static",
    addresses,
    routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }, { dst: "10.1.0.0/16", gw: "10.89.0.9" }],
  },
};
const attachment = {
  containerId: "c1",
  netns: "/run/netns",
  ifName: "eth0",
  args: "IgnoreUnknown=1;K8S_POD_NAME=web;MAC=02:42:0a:59:00:02",
  capabilityArgs: {},
};

test("a list we generate is one request to the kernel", () => {
  expect(bridgeJoinOf({ ...plugin, mtu: 1400 }, attachment, "/run/site")).toEqual({
    site: "/run/site",
    bridge: "tsc-1",
    gateways: ["10.89.0.1/24", "fd00:89::1/64"],
    netns: "/run/netns",
    name: "eth0",
    mac: "02:42:0a:59:00:02",
    mtu: 1400,
    addresses: ["10.89.0.2/24", "fd00:89::2/64"],
    routes: ["0.0.0.0/0", "10.89.0.1", "::/0", "fd00:89::1", "10.1.0.0/16", "10.89.0.9"],
    hairpin: true,
    isolated: false,
  });
  const byCapability = { ...attachment, args: "", capabilityArgs: { mac: "02:42:0a:59:00:03" } };
  expect(bridgeJoinOf(plugin, byCapability, "")).toMatchObject({ mac: "02:42:0a:59:00:03", mtu: 0 });
});

test.each<[string, object, object]>([
  ["another plugin", { type: "macvlan" }, {}],
  ["a vlan", { vlan: 7 }, {}],
  ["masquerading", { ipMasq: true }, {}],
  ["no gateway", { isGateway: false }, {}],
  ["promiscuous mode", { promiscMode: true }, {}],
  ["a key of a later version", { preserveDefaultVlan: false }, {}],
  ["host-local addresses", { ipam: { type: "host-local", subnet: "10.89.0.0/24" } }, {}],
  ["no addresses", { ipam: { type: "static", addresses: [] } }, {}],
  ["a gateway the plugin must compute", { ipam: { type: "static", addresses: [{ address: "10.89.0.2/24" }] } }, {}],
  ["a route without a gateway", { ipam: { type: "static", addresses: [addresses[0]], routes: [{ dst: "::/0" }] } }, {}],
  ["name servers in the addresses' plugin", { ipam: { ...plugin.ipam, dns: { nameservers: ["1.1.1.1"] } } }, {}],
  ["a route with an MTU", { ipam: { type: "static", addresses, routes: [{ dst: "0.0.0.0/0", mtu: 1400 }] } }, {}],
  ["an address in CNI_ARGS", {}, { args: "IP=10.89.0.7" }],
])("%s is for the real plugin", (_name, change, attached) => {
  expect(bridgeJoinOf({ ...plugin, ...change }, { ...attachment, ...attached }, "")).toBeUndefined();
});
