/** Run inside a user namespace by rootless.test.ts; prints what it saw as JSON. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isNetworkDamaged } from "../../../src/engine/network/damage.js";
import { forwarderEpoch, runningForwarder } from "../../../src/engine/network/forwarder-record.js";
import { noteFamilies } from "../../../src/engine/network/origin-rules.js";
import { codeOf, freePort, get, getFromHost, lookup, openBench, serve } from "./support.js";

const seen: Record<string, unknown> = {};
{
  await using bench = openBench();
  const { networking, context } = bench;
  const record = join(context.paths.network, "uplink.json");
  seen["rootless"] = context.rootless;
  await networking.create({ name: "app" });
  await networking.create({ name: "other" });
  await networking.create({ name: "back", internal: true });
  await networking.create({ name: "six", enableIpv6: true });
  const [web, peer, stranger, inner] = ["web", "peer", "stranger", "inner"].map((name) => bench.addContainer(name)) as [
    string,
    string,
    string,
    string,
  ];
  const both = bench.addContainer("both");
  const [port, local, shared, sixPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const hostOf = (family: string): string | undefined =>
    Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === family && !address.internal && address.scopeid !== 2)?.address;
  const host = hostOf("IPv4");
  const tcp = (hostPort: number, hostIp = "") => ({ containerPort: 80, hostPort, protocol: "tcp" as const, hostIp });
  const [a, b, c, d, e] = await Promise.all([
    networking.attach({
      id: web,
      name: "web",
      attachments: [{ network: "app" }],
      ports: [tcp(port), tcp(local, "127.0.0.1"), tcp(shared, "127.0.0.1")],
    }),
    networking.attach({
      id: peer,
      name: "peer",
      attachments: [{ network: "app", aliases: ["friend"] }],
      ports: [tcp(shared, "127.0.0.2")],
    }),
    networking.attach({ id: stranger, name: "stranger", attachments: [{ network: "other" }], ports: [] }),
    networking.attach({ id: inner, name: "inner", attachments: [{ network: "back" }], ports: [] }),
    networking.attach({ id: both, name: "both", attachments: [{ network: "six" }], ports: [tcp(sixPort)] }),
  ]);
  const gateway = a.endpoints[0]?.gateway ?? "";
  await using _web = await serve(a.netnsPath, 80, "web");
  await using _peer = await serve(b.netnsPath, 80, "peer");
  await using _both = await serve(e.netnsPath, 80, "both");
  seen["name"] = lookup(bench, a.netnsPath, "friend", gateway)?.[0] === b.endpoints[0]?.ipv4;
  seen["mtu"] = readMtu(bench.inside(a.netnsPath, ["ip", "-j", "link", "show", "eth0"]).stdout);
  seen["neighbour"] = get(bench, b.netnsPath, `http://${a.endpoints[0]?.ipv4}/`);
  seen["isolated"] = get(bench, c.netnsPath, `http://${a.endpoints[0]?.ipv4}/`);
  seen["published"] = await getFromHost(`http://127.0.0.1:${port}/`);
  seen["client"] = host === undefined ? true : (await getFromHost(`http://${host}:${port}/who`)) === host;
  seen["onlyLocal"] = await getFromHost(`http://127.0.0.1:${local}/`);
  seen["notOutside"] = host === undefined ? "" : await getFromHost(`http://${host}:${local}/`);
  seen["samePort"] = [
    await getFromHost(`http://127.0.0.1:${shared}/`),
    await getFromHost(`http://127.0.0.2:${shared}/`),
  ];
  const sixHost = hostOf("IPv6");
  seen["six"] = [
    await getFromHost(`http://[::1]:${port}/`),
    await getFromHost(`http://[::1]:${local}/`),
    await getFromHost(`http://[::1]:${sixPort}/`),
    (await getFromHost(`http://[::1]:${sixPort}/who`)) === e.endpoints[0]?.ipv6Gateway,
    sixHost === undefined || (await getFromHost(`http://[${sixHost}]:${sixPort}/who`)) === sixHost,
    (await getFromHost(`http://127.0.0.1:${port}/who`)) === gateway,
  ];
  seen["ports"] = networking.ports(both).map(({ hostIp }) => hostIp);
  const outside = createServer((socket) => socket.end("outside"));
  await new Promise<void>((done) => outside.listen(0, "0.0.0.0", done));
  const address = outside.address();
  const outsidePort = String(typeof address === "object" && address !== null ? address.port : 0);
  const reach = (netns: string): Promise<string> =>
    new Promise((done) => {
      const child = context.kernel.spawn(
        "nsenter",
        [`--net=${netns}`, "--", "timeout", "2", "busybox", "nc", networking.hostGateway(), outsidePort],
        {
          stdio: ["ignore", "pipe", "ignore"],
        },
      );
      let text = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      child.on("close", () => done(text));
    });
  seen["outside"] = await reach(a.netnsPath);
  seen["internal"] = await reach(d.netnsPath);
  outside.close();
  const privileged = bench.addContainer("low");
  seen["privileged"] = await codeOf(
    networking.attach({ id: privileged, name: "low", attachments: [{ network: "app" }], ports: [tcp(81)] }),
  );
  seen["taken"] = await codeOf(
    networking.attach({ id: privileged, name: "low", attachments: [{ network: "app" }], ports: [tcp(port)] }),
  );
  // A dead uplink comes back with every port.
  const uplink = JSON.parse(readFileSync(record, "utf8")) as { pid: number };
  process.kill(uplink.pid, "SIGKILL");
  await delay(100);
  seen["withoutUplink"] = await getFromHost(`http://127.0.0.1:${port}/`);
  await bench.reopen().repair();
  const doctor = async (): Promise<boolean[]> =>
    (await networking.info()).warnings.map((text) => text.includes("instead of the client's address"));
  seen["advice"] = await doctor();
  // as on a kernel without what keeping the address needs
  noteFamilies(context, forwarderEpoch(context) ?? "", []);
  const forwarder = runningForwarder(context);
  if (forwarder !== undefined) process.kill(forwarder.pid, "SIGKILL");
  if (forwarder !== undefined) await context.kernel.waitForExit(forwarder);
  seen["dead"] = [isNetworkDamaged(context), await getFromHost(`http://127.0.0.1:${port}/`)];
  await bench.reopen().repair();
  seen["revived"] = [isNetworkDamaged(context), await getFromHost(`http://127.0.0.1:${port}/`)];
  seen["notKept"] = [(await getFromHost(`http://${host}:${port}/who`)) === gateway, await doctor()];
  await networking.detach(web);
  seen["closed"] = await getFromHost(`http://127.0.0.1:${port}/`);
  seen["others"] = await getFromHost(`http://127.0.0.2:${shared}/`);
  await Promise.all([peer, stranger, inner, both].map((id) => networking.detach(id)));
  seen["left"] = ["rootless-netns", "uplink.json", "dns/main", "portd"].filter((name) =>
    existsSync(join(context.paths.network, name)),
  );
  const again = await networking.attach({
    id: web,
    name: "web",
    attachments: [{ network: "app" }],
    ports: [tcp(port)],
  });
  seen["sameAddress"] = again.endpoints[0]?.ipv4 === a.endpoints[0]?.ipv4;
  await using _again = await serve(again.netnsPath, 80, "again");
  seen["again"] = await getFromHost(`http://127.0.0.1:${port}/`);
  seen["warnings"] = bench.warnings;
}
{
  await using bench = openBench({ TSCOMPOSE_PORT_FORWARDER: "slirp4netns" });
  const { networking, context } = bench;
  await networking.create({ name: "app" });
  const id = bench.addContainer("web");
  const port = await freePort();
  const request = (hostIp: string) => ({
    id,
    name: "web",
    attachments: [{ network: "app" }],
    ports: [{ containerPort: 80, hostPort: port, protocol: "tcp" as const, hostIp }],
  });
  const refused = await codeOf(networking.attach(request("::1")));
  const { netnsPath } = await networking.attach(request(""));
  await using _web = await serve(netnsPath, 80, "web");
  seen["fallback"] = [
    refused,
    await getFromHost(`http://127.0.0.1:${port}/`),
    await getFromHost(`http://[::1]:${port}/`),
    runningForwarder(context) === undefined,
    (await networking.info()).warnings.some((text) => text.includes("through slirp4netns")),
  ];
}
process.stdout.write(JSON.stringify(seen));

function readMtu(json: string): number {
  return (JSON.parse(json) as { mtu: number }[])[0]?.mtu ?? 0;
}
