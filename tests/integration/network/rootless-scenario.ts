/** Run inside a user namespace by rootless.test.ts; prints what it saw as JSON. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, freePort, get, getFromHost, lookup, openBench, serve } from "./support.js";

const seen: Record<string, unknown> = {};
{
  await using bench = openBench();
  const { networking, context } = bench;
  const pin = join(context.paths.network, "rootless-netns");
  const record = join(context.paths.network, "uplink.json");
  seen["rootless"] = context.rootless;
  await networking.create({ name: "app" });
  await networking.create({ name: "other" });
  await networking.create({ name: "back", internal: true });
  const [web, peer, stranger, inner] = ["web", "peer", "stranger", "inner"].map((name) => bench.addContainer(name)) as [
    string,
    string,
    string,
    string,
  ];
  const [port, local, shared] = [await freePort(), await freePort(), await freePort()];
  const host = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;
  const tcp = (hostPort: number, hostIp = "") => ({ containerPort: 80, hostPort, protocol: "tcp" as const, hostIp });
  const [a, b, c, d] = await Promise.all([
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
  ]);
  const gateway = a.endpoints[0]?.gateway ?? "";
  await using _web = await serve(a.netnsPath, 80, "web");
  await using _peer = await serve(b.netnsPath, 80, "peer");
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
  seen["dead"] = await getFromHost(`http://127.0.0.1:${port}/`);
  await bench.reopen().repair();
  seen["revived"] = await getFromHost(`http://127.0.0.1:${port}/`);
  await networking.detach(web);
  seen["closed"] = await getFromHost(`http://127.0.0.1:${port}/`);
  await Promise.all([peer, stranger, inner].map((id) => networking.detach(id)));
  seen["left"] = [existsSync(pin), existsSync(record), existsSync(join(context.paths.network, "dns/main"))];
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
process.stdout.write(JSON.stringify(seen));

function readMtu(json: string): number {
  return (JSON.parse(json) as { mtu: number }[])[0]?.mtu ?? 0;
}
