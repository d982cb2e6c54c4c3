import { expect, test } from "@jest/globals";
import { parseAddress } from "../../../../src/engine/network/addresses.js";
import { boundSockets, dnsFile, procAddress } from "../../../../src/engine/network/dns-files.js";
import type { EndpointRecord } from "../../../../src/engine/state/endpoints.js";

function record(id: string, ipv4: string, ipv6: string, names: string[], dns: string[] = []): EndpointRecord {
  return {
    containerId: id,
    network: "app",
    bootId: "b",
    endpoint: {
      network: "app",
      interfaceName: "eth0",
      ipv4,
      ipv4PrefixLength: 24,
      gateway: "",
      ipv6,
      ipv6PrefixLength: 0,
      ipv6Gateway: "",
      mac: "",
      aliases: [],
    },
    cni: {
      phase: "up",
      owner: { pid: 1, startTime: "1" },
      containerName: id,
      netnsPath: "",
      ifName: "eth0",
      primary: true,
      dns,
      names,
      ports: [],
    },
  };
}

test("one line per container; empty fields keep their place", () => {
  expect(
    dnsFile(
      ["10.89.0.1"],
      ["9.9.9.9"],
      [record("c1", "10.89.0.2", "", ["web", "w"]), record("c2", "10.89.0.3", "fd00::3", ["db"], ["1.1.1.1"])],
    ),
  ).toBe("10.89.0.1 9.9.9.9\nc1 10.89.0.2  web,w\nc2 10.89.0.3 fd00::3 db 1.1.1.1\n");
  expect(dnsFile(["10.89.0.1"], [], [])).toBeUndefined();
  expect(dnsFile([], [], [record("c1", "10.89.0.2", "", ["web"])])).toBeUndefined();
});

test("bound sockets are read from the kernel's tables", () => {
  const udp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 3219: 0100590A:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
 3220: 0100590A:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0`;
  const { family, value } = parseAddress("10.89.0.1");
  expect(boundSockets(udp, "", 53).get(procAddress(family, value))).toBe("4711");
  expect(boundSockets(udp, "", 53).size).toBe(1);
  const six = parseAddress("fd00::1");
  expect(procAddress(six.family, six.value)).toBe("000000FD000000000000000001000000");
});
