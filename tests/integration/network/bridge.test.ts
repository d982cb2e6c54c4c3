/** Networks with real plugins, name server and packet filter; needs root. */
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { AttachResult } from "../../../src/engine/network/index.js";
import { chainsOf } from "../../../src/engine/network/rules.js";
import type { NetworkAttachment, PortMapping } from "../../../src/engine/types.js";
import { type Bench, freePort, get, getFromHost, ipJson, lookup, openBench, printedIn, serve } from "./support.js";

function attach(
  bench: Bench,
  id: string,
  name: string,
  attachments: readonly NetworkAttachment[],
  ports: readonly PortMapping[] = [],
): Promise<AttachResult> {
  return bench.networking.attach({ id, name, attachments, ports });
}
const tcp = (hostPort: number, containerPort: number, hostIp = ""): PortMapping => ({
  hostPort,
  containerPort,
  protocol: "tcp",
  hostIp,
});

test("containers find each other by name, alias and short id, and strangers do not resolve", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const [web, db] = [bench.addContainer("app-web-1"), bench.addContainer("app-db-1")];
  const [a, b] = await Promise.all([
    attach(bench, web, "app-web-1", [{ network: "app", aliases: ["web"] }]),
    attach(bench, db, "app-db-1", [{ network: "app", aliases: ["db", "Store"] }]),
  ]);
  const gateway = a.endpoints[0]?.gateway ?? "";
  const address = b.endpoints[0]?.ipv4;
  for (const name of ["app-db-1", "db", "store", db.slice(0, 12)]) {
    expect([name, lookup(bench, a.netnsPath, name, gateway)]).toEqual([name, [address]]);
  }
  expect(lookup(bench, a.netnsPath, "nobody", gateway)).toBeUndefined();
  expect(bench.networking.resolvConf({ id: web })).toContain(`nameserver ${gateway}\n`);
  await using _server = await serve(b.netnsPath, 80, "store");
  expect(get(bench, a.netnsPath, `http://${address}/`)).toBe("store");

  await bench.networking.detach(db);
  expect(lookup(bench, a.netnsPath, "db", gateway)).toBeUndefined();
  expect(existsSync(b.netnsPath)).toBe(false);
  const again = await attach(bench, db, "app-db-1", [{ network: "app", aliases: ["db"] }]);
  expect(again.endpoints[0]?.ipv4).toBe(address);
  expect(lookup(bench, a.netnsPath, "db", gateway)).toEqual([address]);
  // at once: the neighbour's memory of who has the address must still be right
  expect(again.endpoints[0]?.mac).toBe(b.endpoints[0]?.mac);
  printedIn(a.netnsPath, ["busybox", "ping", "-c1", "-W1", address ?? ""]);
});

test("a name with separators is refused before anything is made", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const id = bench.addContainer("x");
  for (const alias of ["a b", "a\nb", "a,b", ""]) {
    await expect(attach(bench, id, "x", [{ network: "app", aliases: [alias] }])).rejects.toMatchObject({
      code: "TSC_DNS_NAME",
    });
  }
  expect(readdirSync(bench.context.paths.netns)).toEqual([]);
});

test("a published port answers on every way in and keeps the client's address", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  await bench.networking.create({ name: "other" });
  const [web, peer, stranger] = ["web", "peer", "stranger"].map((name) => bench.addContainer(name)) as [
    string,
    string,
    string,
  ];
  const [port, local] = [await freePort(), await freePort()];
  const a = await attach(
    bench,
    web,
    "web",
    [{ network: "app" }],
    [tcp(port, 80), tcp(local, 80, "127.0.0.1"), tcp(0, 80)],
  );
  const b = await attach(bench, peer, "peer", [{ network: "app" }]);
  const c = await attach(bench, stranger, "stranger", [{ network: "other" }]);
  await using _server = await serve(a.netnsPath, 80, "hello");
  const gateway = a.endpoints[0]?.gateway ?? "";
  const chosen = a.ports[2]?.hostPort ?? 0;
  expect(chosen).toBeGreaterThan(0);
  expect(await getFromHost(`http://127.0.0.1:${port}/`)).toBe("hello");
  expect(await getFromHost(`http://${gateway}:${port}/`)).toBe("hello");
  expect(await getFromHost(`http://127.0.0.1:${local}/`)).toBe("hello");
  expect(await getFromHost(`http://127.0.0.1:${chosen}/`)).toBe("hello");
  expect(await getFromHost(`http://${gateway}:${local}/`)).toBe("");
  // Itself, its neighbour, and a container of another network through its own gateway.
  expect(get(bench, a.netnsPath, `http://${gateway}:${port}/`)).toBe("hello");
  expect(get(bench, b.netnsPath, `http://${gateway}:${port}/`)).toBe("hello");
  expect(get(bench, c.netnsPath, `http://${c.endpoints[0]?.gateway}:${port}/who`)).toBe(c.endpoints[0]?.ipv4);
  // Directly they stay apart.
  expect(get(bench, c.netnsPath, `http://${a.endpoints[0]?.ipv4}/`)).toBe("");

  await bench.networking.detach(web);
  expect(await getFromHost(`http://127.0.0.1:${port}/`)).toBe("");
});

test("a taken port is an error that names who has it, and leaves nothing", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const [one, two] = [bench.addContainer("one"), bench.addContainer("two")];
  const port = await freePort();
  await attach(bench, one, "one", [{ network: "app" }], [tcp(port, 80)]);
  await expect(attach(bench, two, "two", [{ network: "app" }], [tcp(port, 81)])).rejects.toMatchObject({
    code: "TSC_PORT_TAKEN",
    message: `failed to bind host port 0.0.0.0:${port}/tcp: address already in use by container one`,
  });
  await bench.networking.detach(one);
  const server = createServer();
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  await expect(attach(bench, two, "two", [{ network: "app" }], [tcp(port, 81)])).rejects.toMatchObject({
    code: "TSC_PORT_TAKEN",
    message: `failed to bind host port 0.0.0.0:${port}/tcp: address already in use by node (pid ${process.pid})`,
  });
  await new Promise((done) => server.close(done));
  expect(bench.networking.endpoints(two)).toEqual([]);
  expect(readdirSync(bench.context.paths.netns)).toEqual([]);
});

test("an internal network has names and neighbours but no way out, nor a resolver that leads out", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "back", internal: true });
  await bench.networking.create({ name: "front" });
  const [db, app] = [bench.addContainer("db"), bench.addContainer("app")];
  const asked: string[] = [];
  const upstream = createSocket("udp4").on("message", (message, from) => {
    asked.push(message.toString("latin1"));
    const answer = Buffer.from(message);
    answer.writeUInt16BE(0x8183, 2);
    upstream.send(answer, from.port, from.address);
  });
  await new Promise<void>((done) => upstream.bind(0, "127.0.0.1", done));
  try {
    const a = await attach(bench, db, "db", [{ network: "back", aliases: ["store"] }]);
    const b = await bench.networking.attach({
      id: app,
      name: "app",
      attachments: [{ network: "back" }, { network: "front" }],
      ports: [],
    });
    const inner = a.endpoints[0]?.gateway ?? "";
    expect(JSON.parse(bench.inside(a.netnsPath, ["ip", "-j", "route", "show", "default"]).stdout || "[]")).toEqual([]);
    expect(bench.inside(a.netnsPath, ["ip", "route", "add", "default", "via", inner]).status).toBe(0);
    await using _front = await serve(b.netnsPath, 80, "front");
    const frontAddress = b.endpoints.find((endpoint) => endpoint.network === "front")?.ipv4;
    expect(get(bench, a.netnsPath, `http://${frontAddress}/`)).toBe("");
    expect(get(bench, a.netnsPath, `http://${b.endpoints.find((e) => e.network === "back")?.ipv4}/`)).toBe("front");
    // Services of the host are out of reach, the name server is not.
    const host = createServer((socket) => socket.end());
    await new Promise<void>((done) => host.listen(0, "0.0.0.0", done));
    const address = host.address();
    const hostPort = typeof address === "object" && address !== null ? address.port : 0;
    expect(bench.inside(a.netnsPath, ["busybox", "nc", "-w", "1", "-z", inner, String(hostPort)]).status).not.toBe(0);
    await new Promise((done) => host.close(done));
    expect(lookup(bench, a.netnsPath, "app", inner)?.length).toBe(1);
    expect(lookup(bench, a.netnsPath, "example.org", inner)).toBeUndefined();
    // The container on both asks one server and gets the names of both.
    const both = bench.networking.resolvConf({ id: app });
    const front = b.endpoints.find((endpoint) => endpoint.network === "front")?.gateway ?? "";
    expect(both).toContain(`nameserver ${front}\n`);
    expect(both).not.toContain(inner);
    expect(lookup(bench, b.netnsPath, "store", front)).toEqual([a.endpoints[0]?.ipv4]);
  } finally {
    await new Promise<void>((done) => upstream.close(done));
  }
});

test("the default route follows gateway priority and moves when its network is left", async () => {
  await using bench = openBench();
  for (const name of ["a", "b", "c"]) await bench.networking.create({ name });
  const id = bench.addContainer("web");
  const port = await freePort();
  const result = await attach(
    bench,
    id,
    "web",
    [
      { network: "a", priority: 10 },
      { network: "b", gatewayPriority: 5, interfaceName: "wan0" },
    ],
    [tcp(port, 80)],
  );
  await using _server = await serve(result.netnsPath, 80, "moved");
  const route = () =>
    (
      JSON.parse(bench.inside(result.netnsPath, ["ip", "-j", "route", "show", "default"]).stdout) as {
        dev: string;
        gateway: string;
      }[]
    ).map(({ dev, gateway }) => [dev, gateway]);
  expect(result.endpoints.map((endpoint) => [endpoint.network, endpoint.interfaceName])).toEqual([
    ["b", "wan0"],
    ["a", "eth0"],
  ]);
  expect(route()).toEqual([["wan0", result.endpoints[0]?.gateway]]);
  const connected = await bench.networking.connect(id, { network: "c", aliases: ["late"] });
  expect(connected.interfaceName).toBe("eth1");
  expect(lookup(bench, result.netnsPath, "late", connected.gateway)).toEqual([connected.ipv4]);
  await expect(bench.networking.connect(id, { network: "c" })).rejects.toMatchObject({
    code: "TSC_NETWORK_ALREADY_CONNECTED",
  });
  await bench.networking.disconnect(id, "b");
  expect(route()).toEqual([["eth0", result.endpoints[1]?.gateway]]);
  expect(await getFromHost(`http://127.0.0.1:${port}/`)).toBe("moved");
  await bench.networking.disconnect(id, "c");
  await expect(bench.networking.disconnect(id, "c")).rejects.toMatchObject({ code: "TSC_NETWORK_NOT_CONNECTED" });
  await bench.networking.remove("c");
  await expect(bench.networking.remove("a")).rejects.toMatchObject({ code: "TSC_NETWORK_IN_USE" });
});

test("static addresses, MAC, MTU, bridge name and IPv6 are honoured", async () => {
  await using bench = openBench();
  await bench.networking.create({
    name: "fixed",
    enableIpv6: true,
    subnets: [
      {
        subnet: "10.211.7.0/24",
        gateway: "10.211.7.254",
        ipRange: "10.211.7.128/25",
        auxAddresses: { printer: "10.211.7.129" },
      },
    ],
    driverOpts: { "com.docker.network.driver.mtu": "1400", "com.docker.network.bridge.name": "tsctest7" },
  });
  const [one, two] = [bench.addContainer("one"), bench.addContainer("two")];
  const a = await attach(bench, one, "one", [{ network: "fixed", ipv4: "10.211.7.9", mac: "02:42:0a:d3:07:09" }]);
  const b = await attach(bench, two, "two", [{ network: "fixed" }]);
  expect(a.endpoints[0]).toMatchObject({ ipv4: "10.211.7.9", gateway: "10.211.7.254", mac: "02:42:0a:d3:07:09" });
  expect(b.endpoints[0]?.ipv4).toBe("10.211.7.130".replace("130", "128"));
  expect(ipJson("link", "show", "tsctest7")).toMatchObject([{ mtu: 1400 }]);
  const six = a.endpoints[0]?.ipv6 ?? "";
  expect(six).toMatch(/^fd/);
  await using _server = await serve(a.netnsPath, 80, "six");
  expect(get(bench, b.netnsPath, `http://[${six}]/`)).toBe("six");
  expect(lookup(bench, b.netnsPath, "one", b.endpoints[0]?.gateway ?? "")?.sort()).toEqual(["10.211.7.9", six].sort());
  await expect(
    attach(bench, bench.addContainer("three"), "three", [{ network: "fixed", ipv4: "10.211.7.9" }]),
  ).rejects.toMatchObject({ code: "TSC_ADDRESS_TAKEN", message: expect.stringContaining("container one") });
  await expect(
    bench.networking.create({ name: "clash", subnets: [{ subnet: "10.211.0.0/16" }] }),
  ).rejects.toMatchObject({
    code: "TSC_NETWORK_SUBNET_TAKEN",
  });
});

test("a network without IPv6 gives containers none", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "four" });
  const a = await attach(bench, bench.addContainer("one"), "one", [{ network: "four" }]);
  const addresses = JSON.parse(
    bench.inside(a.netnsPath, ["ip", "-j", "-6", "addr", "show", "eth0"]).stdout || "[]",
  ) as { addr_info?: unknown[] }[];
  expect(addresses.flatMap((entry) => entry.addr_info ?? [])).toEqual([]);
});

test("a person's own configuration is used whole, with its own address management", async () => {
  const dir = "/etc/cni/net.d";
  const file = join(dir, "87-tsctest-own.conflist");
  mkdirSync(dir, { recursive: true });
  await using bench = openBench();
  writeFileSync(
    file,
    JSON.stringify({
      cniVersion: "0.4.0",
      name: "tsctest-own",
      plugins: [
        {
          type: "bridge",
          bridge: "tsctest-own0",
          isGateway: true,
          ipam: {
            type: "host-local",
            dataDir: join(bench.context.paths.runRoot, "ipam"),
            ranges: [[{ subnet: "10.212.3.0/24" }]],
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    }),
  );
  try {
    const port = await freePort();
    await bench.networking.create({ name: "app" });
    await attach(bench, bench.addContainer("ours"), "ours", [{ network: "app" }]);
    const id = bench.addContainer("mine");
    const a = await attach(bench, id, "mine", [{ network: "tsctest-own", aliases: ["me"] }], [tcp(port, 80)]);
    // its plugins let nothing through where the host has a guard
    const admitted = (): boolean =>
      execFileSync("iptables-save", { encoding: "utf8" }).includes("-i tsctest-own0 -j ACCEPT");
    expect(admitted()).toBe(true);
    expect(a.endpoints[0]).toMatchObject({ ipv4: "10.212.3.2", gateway: "10.212.3.1", ipv4PrefixLength: 24 });
    await using _server = await serve(a.netnsPath, 80, "own");
    expect(await getFromHost(`http://127.0.0.1:${port}/`)).toBe("own");
    expect(lookup(bench, a.netnsPath, "me", "10.212.3.1")).toEqual(["10.212.3.2"]);
    await bench.networking.detach(id);
    await bench.networking.remove("tsctest-own");
    expect(admitted()).toBe(false);
    expect(
      readdirSync(join(bench.context.paths.runRoot, "ipam/tsctest-own")).filter((name) => name.startsWith("10.")),
    ).toEqual([]);
  } finally {
    execFileSync("rm", ["-f", file]);
    execFileSync("ip", ["link", "delete", "tsctest-own0"]);
  }
});

test("host and none need no network; nothing is left of anything", async () => {
  let bridge = "";
  let chains: string[] = [];
  {
    await using bench = openBench();
    expect(
      await bench.networking.attach({ id: "h1", name: "h1", mode: { kind: "host" }, attachments: [], ports: [] }),
    ).toEqual({
      netnsPath: "",
      endpoints: [],
      ports: [],
    });
    const none = await bench.networking.attach({
      id: "n1",
      name: "n1",
      mode: { kind: "none" },
      attachments: [],
      ports: [],
    });
    expect(JSON.parse(bench.inside(none.netnsPath, ["ip", "-j", "link"]).stdout)).toMatchObject([
      { ifname: "lo", operstate: "UNKNOWN" },
    ]);
    await bench.networking.detach("n1");
    const standard = await bench.networking.attach({
      id: bench.addContainer("d"),
      name: "d",
      attachments: [],
      ports: [],
    });
    expect(standard.endpoints[0]?.network).toBe("bridge");
    bridge = (await bench.networking.inspect("bridge")).bridge;
    chains = Object.values(chainsOf(bench.context.paths.runRoot));
    expect(ipJson("link", "show", bridge).length).toBe(1);
    for (const chain of chains) expect(execFileSync("iptables-save", { encoding: "utf8" })).toContain(chain);
  }
  expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
  for (const chain of chains) expect(execFileSync("iptables-save", { encoding: "utf8" })).not.toContain(chain);
});

test("an alias of several containers gives all their addresses", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const results = await Promise.all(
    ["web-1", "web-2", "web-3"].map((name) =>
      attach(bench, bench.addContainer(name), name, [{ network: "app", aliases: ["web"] }]),
    ),
  );
  const found = lookup(bench, results[0]?.netnsPath ?? "", "web", results[0]?.endpoints[0]?.gateway ?? "");
  expect(found?.sort()).toEqual(results.map((result) => result.endpoints[0]?.ipv4 ?? "").sort());
});

test("a published UDP port answers", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const port = await freePort();
  const a = await attach(
    bench,
    bench.addContainer("u"),
    "u",
    [{ network: "app" }],
    [{ containerPort: 5353, hostPort: port, protocol: "udp", hostIp: "" }],
  );
  const program = `const s=require("node:dgram").createSocket("udp4");s.on("message",(m,f)=>s.send("echo "+m,f.port,f.address));s.bind(5353,()=>process.stdout.write("ready"))`;
  const child = spawn("nsenter", [`--net=${a.netnsPath}`, "--", process.execPath, "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((done) => child.stdout.once("data", done));
  const client = createSocket("udp4");
  try {
    const answer = new Promise<string>((done) => client.once("message", (message) => done(message.toString())));
    client.send("hello", port, "127.0.0.1");
    expect(await answer).toBe("echo hello");
  } finally {
    client.close();
    child.kill("SIGKILL");
  }
});

test("a macvlan network gives a container an interface on the parent", async () => {
  const [parent, peer] = ["tscmv0", "tscmv1"];
  execFileSync("ip", ["link", "add", parent, "type", "veth", "peer", "name", peer]);
  try {
    execFileSync("ip", ["link", "set", parent, "up"]);
    execFileSync("ip", ["link", "set", peer, "up"]);
    execFileSync("ip", ["addr", "add", "10.213.9.1/24", "dev", peer]);
    await using bench = openBench();
    await expect(bench.networking.create({ name: "lan", driver: "macvlan" })).rejects.toMatchObject({
      code: "TSC_NETWORK_SUBNET_INVALID",
    });
    await bench.networking.create({
      name: "lan",
      driver: "macvlan",
      driverOpts: { parent },
      subnets: [{ subnet: "10.213.9.0/24", gateway: "10.213.9.1" }],
    });
    const a = await attach(bench, bench.addContainer("m"), "m", [
      { network: "lan", ipv4: "10.213.9.7", mac: "02:42:0a:d5:09:07" },
    ]);
    expect(a.endpoints[0]).toMatchObject({ ipv4: "10.213.9.7", mac: "02:42:0a:d5:09:07" });
    await using _server = await serve(a.netnsPath, 80, "lan");
    expect(await getFromHost("http://10.213.9.7/")).toBe("lan");
  } finally {
    execFileSync("ip", ["link", "delete", parent]);
  }
});

test("a bridge that was there before is nobody's: it is not joined and outlives the network", async () => {
  await using bench = openBench();
  const driverOpts = { "com.docker.network.bridge.name": "tscbr-own" };
  await bench.networking.create({ name: "app", driverOpts });
  execFileSync("ip", ["link", "add", "tscbr-own", "type", "bridge"]);
  try {
    const attached = attach(bench, bench.addContainer("x"), "x", [{ network: "app" }]);
    await expect(attached).rejects.toMatchObject({ code: "TSC_INTERFACE_TAKEN" });
    await bench.networking.remove("app");
    expect(existsSync("/proc/sys/net/ipv4/conf/tscbr-own")).toBe(true);
    await expect(bench.networking.create({ name: "app", driverOpts })).rejects.toMatchObject({
      code: "TSC_INTERFACE_TAKEN",
    });
  } finally {
    execFileSync("ip", ["link", "delete", "tscbr-own"]);
  }
});

test.each([
  ["joined by us", {}],
  ["joined by plugins older than the key", { CNI_PATH: "/usr/lib/cni" }],
])("enable_icc: false isolates ports that are %s", async (_how, env) => {
  await using bench = openBench(env);
  await bench.networking.create({ name: "app", driverOpts: { "com.docker.network.bridge.enable_icc": "false" } });
  await attach(bench, bench.addContainer("one"), "one", [{ network: "app" }]);
  const { bridge } = await bench.networking.inspect("app");
  const ports = ipJson("-d", "link", "show", "master", bridge) as { linkinfo: { info_slave_data: object } }[];
  expect(ports.map(({ linkinfo }) => linkinfo.info_slave_data)).toEqual([
    expect.objectContaining({ isolated: true, hairpin: true }),
  ]);
});

test("a strange protocol, address, alias or upstream is refused before a rule or a file is written", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app", disableDns: true });
  const id = bench.addContainer("x");
  const request = { id, name: "x", attachments: [{ network: "app" }], ports: [] };
  for (const [change, code] of [
    [{ ports: [{ ...tcp(0, 80), protocol: "tcp -j ACCEPT" as "tcp" }] }, "TSC_PORT_INVALID"],
    [{ ports: [tcp(0, 80, "fe80::1%lo")] }, "TSC_PORT_INVALID"],
    [{ attachments: [{ network: "app", aliases: ["a\nb"] }] }, "TSC_DNS_NAME"],
    [{ attachments: [{ network: "app", interfaceName: "eth+" }] }, "TSC_INTERFACE_NAME"],
    [{ attachments: [{ network: "app", ipv4: "10.0.0.1;IP=10.0.0.2" }] }, "TSC_ADDRESS_INVALID"],
    [{ dns: ["1.1.1.1\n2.2.2.2"] }, "TSC_ADDRESS_INVALID"],
  ] as const) {
    await expect(bench.networking.attach({ ...request, ...change })).rejects.toMatchObject({ code });
  }
  expect(bench.networking.endpoints(id)).toEqual([]);
});

test("after a reboot a container gets its address back and its network is set up anew", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const [one, two] = [bench.addContainer("one"), bench.addContainer("two")];
  await attach(bench, one, "one", [{ network: "app" }]);
  const before = await attach(bench, two, "two", [{ network: "app" }]);
  // What a reboot does: namespaces, bridges and rules are gone, rows are of another boot.
  for (const id of [one, two]) bench.kernel.removeNetworkNamespace(join(bench.context.paths.netns, id));
  execFileSync("ip", ["link", "delete", (await bench.networking.inspect("app")).bridge]);
  bench.state.run("UPDATE endpoints SET boot_id = 'earlier'");
  bench.state.run("UPDATE meta SET value = 'earlier' WHERE key LIKE 'network.up/%'");
  const again = bench.reopen();
  await again.repair();
  const after = await again.attach({ id: two, name: "two", attachments: [{ network: "app" }], ports: [] });
  expect(after.endpoints[0]?.ipv4).toBe(before.endpoints[0]?.ipv4);
  expect(lookup(bench, after.netnsPath, "two", after.endpoints[0]?.gateway ?? "")).toEqual([after.endpoints[0]?.ipv4]);
  expect(again.endpoints(one)).toEqual([]);
});

test("info names every part with its version", async () => {
  await using bench = openBench();
  const info = await bench.networking.info();
  expect(info.mode).toBe("bridge");
  expect(info.missing).toEqual([]);
  for (const component of info.components)
    expect([component.name, component.version]).toEqual([component.name, expect.stringMatching(/^\d/)]);
});

test("a sysctl of the namespace is set, any other is refused", async () => {
  await using bench = openBench();
  const request = { id: "s1", name: "s1", mode: { kind: "none" as const }, attachments: [], ports: [] };
  const made = await bench.networking.attach({ ...request, sysctls: { "net.ipv4.tcp_keepalive_time": "77" } });
  expect(bench.inside(made.netnsPath, ["cat", "/proc/sys/net/ipv4/tcp_keepalive_time"]).stdout).toBe("77\n");
  for (const name of ["kernel.hostname", "net.ipv4.no_such", "net/../kernel.hostname"]) {
    await expect(bench.networking.attach({ ...request, sysctls: { [name]: "1" } })).rejects.toMatchObject({
      code: "TSC_SYSCTL",
    });
  }
  expect(readdirSync(bench.context.paths.netns)).toEqual([]);
});
