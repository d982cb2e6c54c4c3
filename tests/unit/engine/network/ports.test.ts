import { createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { bindError, checkPort, claimPort, clash, hostSides, portText } from "../../../../src/engine/network/ports.js";
import { targetOf } from "../../../../src/engine/network/publish.js";
import type { PortMapping } from "../../../../src/engine/types.js";

const port = (hostPort: number, hostIp = "", protocol: PortMapping["protocol"] = "tcp"): PortMapping => ({
  containerPort: 80,
  hostPort,
  hostIp,
  protocol,
});

test("ports clash on one address or on all", () => {
  expect(clash(port(80), port(80, "127.0.0.1"))).toBe(true);
  expect(clash(port(80, "127.0.0.1"), port(80, "127.0.0.1"))).toBe(true);
  expect(clash(port(80, "127.0.0.1"), port(80, "127.0.0.2"))).toBe(false);
  expect(clash(port(80), port(80, "", "udp"))).toBe(false);
  expect(clash(port(80), port(81))).toBe(false);
  expect(clash(port(0), port(0))).toBe(false);
});

test("ports are written as docker writes them", () => {
  expect([port(80), port(53, "::1", "udp")].map(portText)).toEqual(["0.0.0.0:80/tcp", "[::1]:53/udp"]);
});

test.each([
  port(70000),
  port(-1),
  port(1.5),
  { ...port(1), containerPort: 0 },
  port(80, "localhost"),
  // a zone passes for an address with node, and breaks every rule of the file it stands in
  port(80, "fe80::1%eth0"),
  port(80, "127.0.0.1 -j ACCEPT"),
  port(80, "127.0.0.1\n"),
  port(80, "", "tcp -j ACCEPT" as "tcp"),
])("%j is refused", (bad) => {
  expect(() => checkPort(bad, { rootless: false, ipv6: true })).toThrow(
    expect.objectContaining({ code: "TSC_PORT_INVALID" }),
  );
});
test("what rootless cannot do is said", () => {
  for (const [bad, ipv6] of [
    [port(8080, "", "sctp"), true],
    [port(8080, "::1"), false],
  ] as const) {
    checkPort(bad, { rootless: false, ipv6 });
    expect(() => checkPort(bad, { rootless: true, ipv6 })).toThrow(
      expect.objectContaining({ code: "TSC_PORT_UNSUPPORTED" }),
    );
  }
  checkPort(port(8080, "::1"), { rootless: true, ipv6: true });
});

test("a port without an address has a side on each family", () => {
  const hosts = (given: PortMapping, ipv6 = true): string[] => hostSides(given, ipv6).map(({ hostIp }) => hostIp);
  expect(hosts(port(80))).toEqual(["0.0.0.0", "::"]);
  expect(hosts(port(80), false)).toEqual([""]);
  expect(hosts(port(80, "0.0.0.0"))).toEqual(["0.0.0.0"]);
  expect(hosts(port(80, "::1"))).toEqual(["::1"]);
  expect(hosts(port(80, "", "sctp"))).toEqual([""]);
  expect(clash(port(80, "0.0.0.0"), port(80, "::"))).toBe(false);
  expect(clash(port(80, "127.0.0.1"), port(80, "::"))).toBe(false);
  expect(clash(port(80, "::1"), port(80, "::"))).toBe(true);
  expect(clash(port(80), port(80, "::1"))).toBe(true);
});

test("port 0 becomes one that is free on every side, a taken one is an error", async () => {
  const [four, six] = await claimPort(hostSides(port(0), true), []);
  expect(four?.hostPort).toBeGreaterThan(0);
  expect(six).toEqual({ ...four, hostIp: "::" });
  const server = createServer();
  const taken = four?.hostPort ?? 0;
  await new Promise<void>((done) => server.listen({ port: taken, host: "::", ipv6Only: true }, done));
  await expect(claimPort(hostSides(port(taken), true), [])).rejects.toMatchObject({
    code: "TSC_PORT_TAKEN",
    message: `failed to bind host port [::]:${taken}/tcp: address already in use by node (pid ${process.pid})`,
  });
  expect(await claimPort([port(taken)], [])).toEqual([port(taken)]);
  await new Promise((done) => server.close(done));
  expect(await claimPort([port(0, "127.0.0.1", "udp")], [])).toMatchObject([{ protocol: "udp" }]);
  await expect(claimPort([port(0, "192.0.2.77")], [])).rejects.toMatchObject({ code: "TSC_PORT_ADDRESS" });
});

test("what keeps a port closed has its own words, code and kind", () => {
  const told = (errno: string): unknown[] => {
    const { code, kind, message, hint = "" } = bindError(port(8080), errno);
    return [code, kind, message.replace("failed to bind host port 0.0.0.0:8080/tcp", "…"), hint];
  };
  for (const errno of ["EMFILE", "ENFILE"]) {
    expect(told(errno)).toEqual([
      "TSC_TOO_MANY_FILES",
      "unavailable",
      "…: too many open files",
      expect.stringContaining("ulimit -Hn"),
    ]);
  }
  for (const errno of ["ENOMEM", "ENOBUFS"]) {
    expect(told(errno).slice(0, 3)).toEqual(["TSC_NO_MEMORY", "unavailable", "…: cannot allocate memory"]);
  }
  for (const errno of ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]) {
    expect(told(errno).slice(0, 3)).toEqual([
      "TSC_PORT_ADDRESS",
      "invalid-input",
      "…: the machine has no such address",
    ]);
  }
  for (const errno of ["EACCES", "EPERM"]) {
    expect(told(errno).slice(0, 3)).toEqual(["TSC_PORT_PRIVILEGED", "denied", "…: permission denied"]);
  }
  expect(told("EADDRINUSE").slice(0, 3)).toEqual(["TSC_PORT_TAKEN", "conflict", "…: address already in use"]);
  expect(told("EPROTO").slice(0, 3)).toEqual(["TSC_PORT_FAILED", "unavailable", "…: EPROTO"]);
});

test("where a port leads: the same family if the container has it", () => {
  const both = { ipv4: "10.0.0.2", ipv6: "fd00::2" };
  expect([targetOf("::", both), targetOf("0.0.0.0", both)]).toEqual(["fd00::2", "10.0.0.2"]);
  expect([targetOf("::1", { ...both, ipv6: "" }), targetOf("", { ...both, ipv4: "" })]).toEqual([
    "10.0.0.2",
    "fd00::2",
  ]);
});
