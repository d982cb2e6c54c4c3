import { describe, expect, test } from "@jest/globals";
import { chainsOf, type RuleNetwork, type RulePort, restoreText } from "../../../../src/engine/network/rules.js";
import { containerHop, hostHop, ruleHops } from "../../../../src/engine/network/trace-hops.js";

const socket = (address: string, port = 80) => ({ address, port, inode: `${address}-${port}` });
const nobody = () => undefined;

describe("what waits in the container", () => {
  const end = { ip: "10.0.0.2", port: 80, protocol: "tcp" };
  test.each([
    [["0.0.0.0"], "ok", "a program listens on 0.0.0.0"],
    [["::"], "ok", "a program listens on ::"],
    [["10.0.0.2"], "ok", "a program listens on 10.0.0.2"],
    [["::ffff:10.0.0.2"], "ok", "a program listens on 10.0.0.2"],
    [["127.0.0.1", "::1"], "failed", "a program listens on 127.0.0.1, ::1 alone"],
    [["10.1.0.2"], "failed", "a program listens on 10.1.0.2 alone"],
    [[], "failed", "nothing in the container listens on port 80/tcp; on 9000 instead"],
  ])("%j is %s", (addresses, state, detail) => {
    const sockets = [...addresses.map((address) => socket(address)), socket("0.0.0.0", 9000)];
    expect(containerHop(end, sockets, nobody)).toMatchObject({ name: "10.0.0.2:80/tcp", state, detail });
  });
  test("a port of IPv6 is not served by a program that listens on IPv4 alone", () => {
    const hop = containerHop({ ...end, ip: "fd00::2" }, [socket("0.0.0.0")], nobody);
    expect(hop).toMatchObject({ name: "[fd00::2]:80/tcp", state: "failed" });
  });
});

describe("the packet filter", () => {
  const chains = chainsOf("/run/test");
  const network: RuleNetwork = {
    bridge: "tsc-1",
    subnets: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1" }],
    internal: false,
    interContainer: true,
    masquerade: true,
  };
  const port: RulePort = { protocol: "tcp", hostIp: "", hostPort: 8080, containerIp: "10.0.0.2", containerPort: 80 };
  /** What iptables-save -c would print after our own rules were restored. */
  const counted = (isPublished = true): string =>
    restoreText(4, chains, [network], isPublished ? [port] : [], "")
      .split("\n")
      .map((line) => line.replace(/^-I (\S+) 1 /, "-A $1 "))
      .map((line) => (line.startsWith("-A ") ? `[7:420] ${line}` : line))
      .join("\n");

  test("rules are found word for word, with counters", () => {
    expect(ruleHops(counted(), chains, port, "tsc-1", true)).toMatchObject([
      {
        name: `nat ${chains.publish}`,
        state: "ok",
        detail: "leads to 10.0.0.2:80/tcp",
        counters: { packets: 7, bytes: 420 },
      },
      { name: `filter ${chains.forward}`, state: "ok", counters: { packets: 7, bytes: 420 } },
    ]);
  });
  test("a rule that is gone is said", () => {
    const [led] = ruleHops(counted(false), chains, port, "tsc-1", true);
    expect(led).toMatchObject({
      state: "failed",
      detail: expect.stringContaining(`missing: -A ${chains.publish} -p tcp`),
    });
  });
  test("forwarding that is off, and others' rules before ours, are said", () => {
    expect(ruleHops(counted(), chains, port, "tsc-1", false)[1]).toMatchObject({
      state: "failed",
      advice: "sysctl net.ipv4.ip_forward=1",
    });
    const others = `[0:0] -A FORWARD -i eth0 -j DROP\n${counted()}`;
    expect(ruleHops(others, chains, port, "tsc-1", true)[1]).toMatchObject({
      state: "unknown",
      detail: "behind a rule of others: -A FORWARD -i eth0 -j DROP",
    });
  });
});

test("a host port is the forwarder's, or somebody else's", () => {
  const port = { protocol: "tcp", hostIp: "", hostPort: 8080, containerPort: 80 } as const;
  const forwarder = { pid: 7, program: "tsc-portd" };
  const at = [socket("0.0.0.0", 8080)];
  expect(hostHop(port, at, () => forwarder, forwarder)).toMatchObject({
    state: "ok",
    detail: "tsc-portd (pid 7) listens",
  });
  expect(hostHop(port, at, () => ({ pid: 8, program: "nginx" }), forwarder)).toMatchObject({
    state: "failed",
    detail: "held by nginx (pid 8)",
  });
  expect(hostHop(port, at, nobody, forwarder)).toMatchObject({ state: "unknown" });
  expect(hostHop(port, [socket("127.0.0.1", 8080)], nobody, forwarder)).toMatchObject({
    state: "failed",
    detail: "nobody listens there",
  });
});
