/** Published ports on both families, as root and as a user: what answers, what is shown, what a dead forwarder and a stop do. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "@jest/globals";
import { eventually } from "../helpers/host.js";
import { dockerIo, type Scenario, scenario } from "../helpers/scenario.js";

dockerIo();

const web = (more: string): string => `{image: "alpine:3.20", init: true, stop_grace_period: 0s, ${more},
    command: sh -c 'mkdir -p /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w'}`;

/** Numbers that stand still: above what the machine gives out by itself. */
const [ANY, LOOP, WILD, SIX, ECHO, FREE, RANGE] = [63_001, 63_002, 63_003, 63_004, 63_005, 63_006, 63_100];

const COMPOSE = `services:
  any: ${web(`hostname: any, ports: ["${ANY}:80", "${RANGE}-${RANGE + 19}:1000-1019", "${FREE + 1}:80/udp"]`)}
  loop: ${web(`hostname: loop, ports: ["[::1]:${LOOP}:80", "127.0.0.1:${LOOP}:80"]`)}
  wild: ${web(`hostname: wild, ports: ["[::]:${WILD}:80"]`)}
  six: ${web(`hostname: six, networks: [six], ports: ["${SIX}:80", "[::1]:${SIX + 20}:80"]`)}
  echo: {image: "alpine:3.20", init: true, stop_grace_period: 0s, ports: ["${ECHO}:53/udp", "${ECHO + 10}:53/udp"], command: sleep 1000}
  late: ${web(`profiles: [late], hostname: late, ports: ["${FREE}:80"]`)}
networks: {six: {enable_ipv6: true}}
`;

function dial(host: string, port: number): Socket {
  const socket = connect({ host, port });
  socket.on("error", () => undefined);
  return socket;
}

/** What a client of this machine gets, or the error's code. */
async function get(host: string, port: number, via = dial(host, port)): Promise<string> {
  via.setTimeout(3_000, () => via.destroy(Object.assign(new Error("silent"), { code: "ETIMEDOUT" })));
  via.write("GET / HTTP/1.0\r\n\r\n");
  const answer = await text(via).catch(({ code }: { code?: string }) => String(code));
  return answer.includes("\r\n\r\n") ? (answer.split("\r\n\r\n")[1] ?? "").trim() : answer;
}

async function echoed(host: string, port: number): Promise<string> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    socket.send("hello", port, host);
    const [message] = await once(socket, "message", { signal: AbortSignal.timeout(1_000) });
    return String(message);
  } catch {
    return "";
  } finally {
    socket.close();
  }
}

/** Who answers when one socket of this machine, on an address that containers can see, sends to two ports at once. */
async function answerers(ports: readonly number[]): Promise<number[]> {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const host = addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";
  const socket = createSocket("udp4");
  const heard: number[] = [];
  socket.on("message", (message, from) => heard.push(String(message) === String(from.port) ? from.port : -from.port));
  socket.bind(0, host);
  await once(socket, "listening");
  await eventually(async () => {
    if (heard.length < ports.length) for (const port of ports) socket.send(String(port), port, host);
    return heard.length >= ports.length;
  }).catch(() => undefined);
  socket.close();
  return [...new Set(heard)].toSorted();
}

/** busybox has no UDP server: one of ours in the container's network. */
async function echoServer(s: Scenario): Promise<ChildProcess> {
  const { State } = await s.inspect("ports-echo-1");
  const server = `const s=require("node:dgram").createSocket("udp4");s.on("message",(m,f)=>s.send(m,f.port,f.address));s.bind(53,()=>console.log(1))`;
  const argv = [`--net=/proc/${(State as { Pid: number }).Pid}/ns/net`, process.execPath, "-e", server];
  const child = spawn("nsenter", argv, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

const forwarder = (s: Scenario): number => {
  const record = join(s.host.folder, "run/network/portd/.lock");
  return existsSync(record) ? Number(readFileSync(record, "utf8").split(" ")[0]) : 0;
};

scenario(
  "ports",
  "answer on both families, are shown so, come back after their forwarder dies and end with their container",
  async (s) => {
    await s.ok("up", "-d");
    const published: [string, number, string][] = [
      ["127.0.0.1", ANY, "any"],
      ["::1", ANY, "any"],
      ["127.0.0.1", LOOP, "loop"],
      ["::1", LOOP, "loop"],
      ["::1", WILD, "wild"],
      ["127.0.0.1", SIX, "six"],
      ["::1", SIX, "six"],
      ["::1", SIX + 20, "six"],
    ];
    const answers = (): Promise<string[]> => Promise.all(published.map(([host, port]) => get(host, port)));
    const wanted = published.map(([, , name]) => name);
    // servers begin a moment after their containers
    await eventually(async () => (await answers()).join() === wanted.join()).catch(() => undefined);
    expect(await answers()).toEqual(wanted);
    expect([await get("127.0.0.1", WILD), await get("127.0.0.1", SIX + 20)]).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
    const echo = await echoServer(s);
    const asked = await Promise.all(["127.0.0.1", "::1"].map((host) => echoed(host, ECHO)));
    const answered = await answerers([ECHO, ECHO + 10]);
    echo.kill();
    expect(asked).toEqual(["hello", "hello"]);
    // one client's port and one port of a container, by two published ones: each answers for itself
    expect(answered).toEqual([ECHO, ECHO + 10]);

    const shown = async (service: string): Promise<string[]> =>
      ((await s.of(service))[0]?.Publishers ?? [])
        .filter(({ PublishedPort }) => PublishedPort < RANGE)
        .map(({ URL, PublishedPort, Protocol }) => `${URL} ${PublishedPort} ${Protocol}`);
    expect(await shown("any")).toEqual([
      `0.0.0.0 ${ANY} tcp`,
      `0.0.0.0 ${FREE + 1} udp`,
      `:: ${ANY} tcp`,
      `:: ${FREE + 1} udp`,
    ]);
    expect(await shown("loop")).toEqual([`127.0.0.1 ${LOOP} tcp`, `::1 ${LOOP} tcp`]);
    expect(await shown("wild")).toEqual([`:: ${WILD} tcp`]);
    expect((await s.ok("port", "any", "80")).stdout).toBe(`0.0.0.0:${ANY}\n`);
    expect((await s.ok("port", "wild", "80")).stdout).toBe(`[::]:${WILD}\n`);
    await s.ok("ps", "any", "loop");
    s.says(
      `0.0.0.0:${ANY}->80/tcp, 0.0.0.0:${FREE + 1}->80/udp, [::]:${ANY}->80/tcp, [::]:${FREE + 1}->80/udp`,
      `127.0.0.1:${LOOP}->80/tcp, [::1]:${LOOP}->80/tcp`,
      `0.0.0.0:${RANGE + 19}->1019/tcp, [::]:${RANGE + 19}->1019/tcp`,
    );
    expect((await s.inspect("ports-six-1"))["NetworkSettings"]).toMatchObject({
      Ports: {
        "80/tcp": [
          { HostIp: "0.0.0.0", HostPort: String(SIX) },
          { HostIp: "::", HostPort: String(SIX) },
          { HostIp: "::1", HostPort: String(SIX + 20) },
        ],
      },
    });
    // What is published on loopback is not for containers, whatever address of the host they ask; fd00::2 is a user's way out.
    await s.inside(
      "six",
      "sh",
      "-c",
      `for host in $(ip route | awk '/default/{print $3}') [fd00::2] [$(ip -6 route | awk '/default/{print $3}')]; do
         timeout 2 wget -q -T 2 -O - "http://$host:${LOOP}/" && exit 1; done; true`,
    );

    const held = dial("127.0.0.1", ANY);
    const heldSix = dial("::1", ANY);
    await Promise.all([once(held, "connect"), once(heldSix, "connect")]);
    await s.ok("stop", "loop", "six");
    expect(await Promise.all([get("127.0.0.1", LOOP), get("::1", LOOP), get("::1", SIX)])).toEqual(
      Array.from({ length: 3 }, () => "ECONNREFUSED"),
    );
    expect([await get("", 0, held), await get("", 0, heldSix)]).toEqual(["any", "any"]);

    const first = forwarder(s);
    process.kill(first, "SIGKILL");
    await eventually(() => !existsSync(`/proc/${first}/exe`));
    await s.ok("start", "loop", "six");
    await eventually(async () => (await answers()).join() === wanted.join()).catch(() => undefined);
    expect(await answers()).toEqual(wanted);
    // any command repairs what it finds damaged, and tells what cannot be, until it can
    const closed = `container ports-any-1: failed to bind host port [::]:${RANGE}/tcp: address already in use`;
    const second = forwarder(s);
    process.kill(second, "SIGKILL");
    await eventually(() => !existsSync(`/proc/${second}/exe`));
    const thief = createServer().listen({ port: RANGE, host: "::", ipv6Only: true });
    try {
      await once(thief, "listening");
      for (let round = 0; round < 2; round++) expect((await s.ok("ps", "-q")).stderr).toContain(closed);
    } finally {
      thief.close();
    }
    await once(thief, "close");
    for (let round = 0; round < 2; round++) expect((await s.ok("ps", "-q")).stderr).toBe("");
    expect(await get("::1", ANY)).toBe("any");

    const other = createServer().listen({ port: FREE, host: "::", ipv6Only: true });
    try {
      await once(other, "listening");
      await s.exits(
        1,
        ["--profile", "late", "up", "-d", "late"],
        `failed to bind host port [::]:${FREE}/tcp: address already in use`,
      );
      expect((await s.of("late")).map(({ State }) => State)).not.toContain("running");
    } finally {
      other.close();
    }
    await s.ok("down");
    expect(forwarder(s)).toBe(0);
  },
  { modes: ["user", "root"], timeoutMs: 180_000, files: { "compose.yaml": COMPOSE } },
);
