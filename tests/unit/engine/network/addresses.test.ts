import { isIPv6 } from "node:net";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  contains,
  formatAddress,
  formatPrefix,
  macOf,
  overlaps,
  parseAddress,
  parsePrefix,
  usableRange,
} from "../../../../src/engine/network/addresses.js";

describe("addresses", () => {
  test.each([
    ["10.89.0.1", "10.89.0.1"],
    ["::1", "::1"],
    ["fd00:0:0:0:0:0:0:1", "fd00::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["::", "::"],
    ["fe80::", "fe80::"],
  ])("%s is written %s", (text, canonical) => {
    expect(formatAddress(parseAddress(text))).toBe(canonical);
  });

  test.each([
    ["10.89.0.2/24", "02:42:0a:59:00:02"],
    ["0.0.0.5", "02:42:00:00:00:05"],
    ["fd00::1:2/64", "02:42:00:01:00:02"],
  ])("%s has the MAC address %s", (address, mac) => {
    expect(macOf(address)).toBe(mac);
  });

  test.each(["", "10.0.0", "10.0.0.256", "fe80::1%eth0", "a b", "1::2::3"])("%j is refused", (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "TSC_ADDRESS_INVALID" }));
  });

  test("every IPv6 value survives being written and read", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
        const text = formatAddress({ family: 6, value });
        return isIPv6(text) && parseAddress(text).value === value;
      }),
    );
  });
});

describe("prefixes", () => {
  test("host bits are cleared", () => expect(formatPrefix(parsePrefix("10.1.2.3/16"))).toBe("10.1.0.0/16"));
  test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/a", "::/129"])("%j is refused", (text) => {
    expect(() => parsePrefix(text)).toThrow(expect.objectContaining({ code: "TSC_ADDRESS_INVALID" }));
  });
  test("contain and overlap within one family only", () => {
    const ten = parsePrefix("10.0.0.0/8");
    expect(contains(ten, parseAddress("10.255.255.255"))).toBe(true);
    expect(contains(ten, parseAddress("11.0.0.0"))).toBe(false);
    expect(contains(ten, parseAddress("::a00:1"))).toBe(false);
    expect(overlaps(ten, parsePrefix("10.4.0.0/16"))).toBe(true);
    expect(overlaps(ten, parsePrefix("172.16.0.0/12"))).toBe(false);
  });
  test.each([
    ["10.0.0.0/24", "10.0.0.1", "10.0.0.254"],
    ["10.0.0.0/31", "10.0.0.0", "10.0.0.1"],
    ["10.0.0.0/32", "10.0.0.0", "10.0.0.0"],
    ["fd00::/126", "fd00::1", "fd00::3"],
  ])("hosts of %s are %s to %s", (text, first, last) => {
    const prefix = parsePrefix(text);
    const range = usableRange(prefix);
    expect([range.first, range.last].map((value) => formatAddress({ family: prefix.family, value }))).toEqual([
      first,
      last,
    ]);
  });
});
