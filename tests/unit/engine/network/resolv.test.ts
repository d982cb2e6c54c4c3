import { expect, test } from "@jest/globals";
import { resolvConfText } from "../../../../src/engine/network/resolv.js";
import { parseResolvConf } from "../../../../src/engine/network/site.js";

const host = { servers: ["127.0.0.53", "192.0.2.1"], search: ["corp.example"], options: ["edns0"] };
const parts = { gateways: [], host, dns: [], search: [], options: [], sharesHost: false };

test("network name servers come alone and names are tried as they are", () => {
  expect(resolvConfText({ ...parts, gateways: ["10.89.0.1"], dns: ["9.9.9.9"] })).toBe(
    "nameserver 10.89.0.1\nsearch corp.example\noptions edns0 ndots:0\n",
  );
});
test("without them the container's own servers, else the host's reachable ones", () => {
  expect(resolvConfText({ ...parts, dns: ["9.9.9.9"], search: ["."], options: ["timeout:1"] })).toBe(
    "nameserver 9.9.9.9\noptions timeout:1\n",
  );
  expect(resolvConfText(parts)).toBe("nameserver 192.0.2.1\nsearch corp.example\noptions edns0\n");
  expect(resolvConfText({ ...parts, sharesHost: true })).toContain("nameserver 127.0.0.53\n");
});
test("no more than three servers, no words with white space", () => {
  const text = resolvConfText({
    ...parts,
    gateways: ["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1"],
    options: ["a b", "ndots:2"],
    search: ["x\nnameserver 6.6.6.6"],
  });
  expect(text).toBe("nameserver 10.0.0.1\nnameserver 10.0.1.1\nnameserver 10.0.2.1\noptions ndots:2\n");
});
test("the host's file is read with comments and repeats", () => {
  expect(parseResolvConf("# x\nnameserver 1.1.1.1 # y\ndomain a\nsearch b c\noptions x\noptions y\n")).toEqual({
    servers: ["1.1.1.1"],
    search: ["b", "c"],
    options: ["x", "y"],
  });
});
