import { expect, test } from "@jest/globals";
import { type AllocationRequest, allocateAddress } from "../../../../src/engine/network/allocate.js";

const request = (change: Partial<AllocationRequest>): AllocationRequest => ({
  network: "app",
  subnet: { subnet: "10.0.0.0/29", gateway: "10.0.0.1", auxAddresses: { printer: "10.0.0.3" } },
  taken: new Map(),
  wanted: "",
  previous: "",
  cursor: "",
  ...change,
});
const taken = (...addresses: string[]): Map<string, string> =>
  new Map(addresses.map((address) => [address, `container of ${address}`]));

test("addresses go round, past gateway and reserved ones", () => {
  expect(allocateAddress(request({}))).toBe("10.0.0.2");
  expect(allocateAddress(request({ cursor: "10.0.0.2" }))).toBe("10.0.0.4");
  expect(allocateAddress(request({ cursor: "10.0.0.6" }))).toBe("10.0.0.2");
  expect(allocateAddress(request({ cursor: "10.0.0.6", taken: taken("10.0.0.2") }))).toBe("10.0.0.4");
});
test("a container keeps the address it had", () => {
  expect(allocateAddress(request({ previous: "10.0.0.5", cursor: "10.0.0.2" }))).toBe("10.0.0.5");
  expect(allocateAddress(request({ previous: "10.0.0.5", taken: taken("10.0.0.5") }))).toBe("10.0.0.2");
  expect(allocateAddress(request({ previous: "10.9.0.5" }))).toBe("10.0.0.2");
});
test("a full network says so", () => {
  expect(() => allocateAddress(request({ taken: taken("10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6") }))).toThrow(
    expect.objectContaining({ code: "TSC_NETWORK_FULL" }),
  );
});
test("a wanted address is given or refused with its holder", () => {
  expect(allocateAddress(request({ wanted: "10.0.0.6" }))).toBe("10.0.0.6");
  expect(() => allocateAddress(request({ wanted: "10.0.0.6", taken: taken("10.0.0.6") }))).toThrow(
    "address 10.0.0.6 on network app is taken by container of 10.0.0.6",
  );
  expect(() => allocateAddress(request({ wanted: "10.0.0.1" }))).toThrow("taken by the gateway");
  for (const outside of ["10.0.0.0", "10.0.0.7", "10.0.1.2", "fd00::1"]) {
    expect(() => allocateAddress(request({ wanted: outside }))).toThrow(
      expect.objectContaining({ code: "TSC_ADDRESS_OUTSIDE" }),
    );
  }
});
test("ip_range bounds the choice but not what is asked for", () => {
  const subnet = { subnet: "10.0.0.0/24", gateway: "10.0.0.1", ipRange: "10.0.0.128/31" };
  expect(allocateAddress(request({ subnet }))).toBe("10.0.0.128");
  expect(allocateAddress(request({ subnet, cursor: "10.0.0.128" }))).toBe("10.0.0.129");
  expect(() => allocateAddress(request({ subnet, taken: taken("10.0.0.128", "10.0.0.129") }))).toThrow(
    "no free address",
  );
  expect(allocateAddress(request({ subnet, wanted: "10.0.0.9" }))).toBe("10.0.0.9");
});
test("a large IPv6 subnet is no work", () => {
  const subnet = { subnet: "fd00::/64", gateway: "fd00::1" };
  expect(allocateAddress(request({ subnet, taken: taken("fd00::2") }))).toBe("fd00::3");
});
