import { expect, test } from "@jest/globals";
import { formatPrefix, parsePrefix } from "../../../../src/engine/network/addresses.js";
import {
  checkFree,
  completeSubnet,
  parseRoutes4,
  parseRoutes6,
  pickSubnet4,
  pickSubnet6,
} from "../../../../src/engine/network/subnets.js";

test("the kernel's route tables are read, default routes left out", () => {
  const four = parseRoutes4(
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
      "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
      "br0\t0000590A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
  );
  expect(four.map(formatPrefix)).toEqual(["10.89.0.0/16"]);
  const six = parseRoutes6(
    [
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 1 0 00000003 eth0",
      "fd120000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 1 0 00000001 br0",
      "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 1 0 00000001 eth0",
      "00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 1 0 80200001 lo",
    ].join("\n"),
  );
  expect(six.map(formatPrefix)).toEqual(["fd12::/64"]);
});

test("the first /24 nobody uses is chosen", () => {
  expect(formatPrefix(pickSubnet4([], ""))).toBe("10.89.0.0/24");
  expect(formatPrefix(pickSubnet4([parsePrefix("10.89.0.0/23"), parsePrefix("10.89.3.0/25")], ""))).toBe(
    "10.89.2.0/24",
  );
  expect(() => pickSubnet4([parsePrefix("10.0.0.0/8")], "")).toThrow(
    expect.objectContaining({ code: "TSC_NETWORK_POOL_EMPTY" }),
  );
});

test("a random IPv6 subnet is unique local", () => {
  expect(formatPrefix(pickSubnet6([]))).toMatch(/^fd[0-9a-f:]+::\/64$/);
});

test("a subnet is completed and checked", () => {
  expect(completeSubnet({ subnet: "10.5.0.9/16" })).toEqual({ subnet: "10.5.0.0/16", gateway: "10.5.0.1" });
  expect(completeSubnet({ subnet: "fd00:5::/64", gateway: "fd00:5:0:0::fe" })).toEqual({
    subnet: "fd00:5::/64",
    gateway: "fd00:5::fe",
  });
  for (const bad of [
    { subnet: "10.5.0.0/16", gateway: "10.6.0.1" },
    { subnet: "10.5.0.0/16", gateway: "10.5.0.0" },
    { subnet: "10.5.0.0/16", ipRange: "10.6.0.0/24" },
    { subnet: "10.5.0.0/16", ipRange: "10.0.0.0/8" },
    { subnet: "10.5.0.0/16", auxAddresses: { a: "10.7.0.1" } },
    { subnet: "0.0.0.0/0" },
  ]) {
    expect(() => completeSubnet(bad)).toThrow(expect.objectContaining({ code: "TSC_NETWORK_SUBNET_INVALID" }));
  }
});

test("an overlap names the owner", () => {
  const others = [{ prefix: parsePrefix("10.5.0.0/16"), owner: "network old" }];
  expect(() => checkFree({ subnet: "10.5.3.0/24" }, others)).toThrow(
    expect.objectContaining({
      code: "TSC_NETWORK_SUBNET_TAKEN",
      message: "subnet 10.5.3.0/24 overlaps 10.5.0.0/16 of network old",
    }),
  );
  checkFree({ subnet: "10.6.0.0/16" }, others);
});
