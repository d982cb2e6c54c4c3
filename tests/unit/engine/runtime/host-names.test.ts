import { describe, expect, test } from "@jest/globals";
import { checkHostNames } from "../../../../src/engine/runtime/host-names.js";

describe("names for a container's own files", () => {
  test("ordinary ones pass", () => {
    checkHostNames({
      name: "c",
      hostname: "web-1.my_host",
      domainname: "example.org",
      extraHosts: [{ host: "db", ip: "host-gateway" }],
      dns: ["1.1.1.1", "fe80::1%eth0"],
      dnsSearch: ["example.org", "."],
      dnsOptions: ["ndots:2"],
    });
    checkHostNames({ name: "c", hostname: "" });
  });

  test.each([
    [{ hostname: "x\n1.2.3.4 evil" }],
    [{ hostname: "a".repeat(65) }],
    [{ domainname: "a b" }],
    [{ extraHosts: [{ host: "x\n6.6.6.6 evil", ip: "1.2.3.4" }] }],
    [{ dns: ["1.1.1.1\noptions x"] }],
    [{ dns: ["resolver"] }],
    [{ dns: ["fe80::1%eth0\nx"] }],
    [{ dnsSearch: ["x\nnameserver 6.6.6.6"] }],
    [{ dnsOptions: ["x\ny"] }],
  ])("%j is refused", (spec) => {
    expect(() => checkHostNames({ name: "c", ...spec })).toThrow(expect.objectContaining({ code: "TSC_HOST_NAME" }));
  });
});
