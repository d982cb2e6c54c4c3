import { createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { checkPort, claimPort, clash, portText } from "../../../../src/engine/network/ports.js";
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
  expect(() => checkPort(bad, false)).toThrow(expect.objectContaining({ code: "TSC_PORT_INVALID" }));
});
test("what rootless cannot do is said", () => {
  for (const bad of [port(8080, "", "sctp"), port(8080, "::1")]) {
    checkPort(bad, false);
    expect(() => checkPort(bad, true)).toThrow(expect.objectContaining({ code: "TSC_PORT_UNSUPPORTED" }));
  }
});

test("port 0 becomes a free one, a taken one is an error", async () => {
  const claimed = await claimPort(port(0, "127.0.0.1"), []);
  expect(claimed.hostPort).toBeGreaterThan(0);
  const server = createServer();
  await new Promise<void>((done) => server.listen(claimed.hostPort, "127.0.0.1", done));
  await expect(claimPort(port(claimed.hostPort), [])).rejects.toMatchObject({
    code: "TSC_PORT_TAKEN",
    message: `failed to bind host port 0.0.0.0:${claimed.hostPort}/tcp: address already in use`,
  });
  await new Promise((done) => server.close(done));
  expect(await claimPort(port(0, "127.0.0.1", "udp"), [])).toMatchObject({ protocol: "udp" });
  await expect(claimPort(port(0, "192.0.2.77"), [])).rejects.toMatchObject({ code: "TSC_PORT_ADDRESS" });
});
