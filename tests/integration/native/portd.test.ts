/** The forwarder of published ports as a program: both families, both protocols, ends of connections, hostile callers, little room. */
import { execFileSync, spawnSync } from "node:child_process";
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { PORTS_MAX } from "../../../src/engine/network/forwarder.js";
import { NATIVE_DIR } from "../../helpers/native.js";

let folder = "";
let cleanUp: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-portd-"));
});
afterEach(async () => {
  for (const work of cleanUp.reverse()) work();
  cleanUp = [];
  const pid = runningPid();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  await gone();
  rmSync(folder, { recursive: true, force: true });
});

function runningPid(): number | undefined {
  const record = join(folder, ".lock");
  const pid = existsSync(record) ? Number(readFileSync(record, "utf8").split(" ")[0]) : 0;
  try {
    // one that has ended waits for its new parent
    return pid > 0 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")) ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 2500; attempt++) {
    if (isTrue()) return;
    await delay(2);
  }
  throw new Error(`never: ${what}`);
}
const gone = (): Promise<void> => until(() => runningPid() === undefined, "the forwarder ends");

/** Starts the program; with `files` under that limit of descriptors. */
function start(files?: number): void {
  const argv = [join(NATIVE_DIR, "tsc-portd"), folder];
  execFileSync("prlimit", [...(files === undefined ? [] : [`--nofile=${files}:${files}`]), "--", ...argv]);
}

async function say(lines: string): Promise<string[]> {
  const socket = connect({ path: join(folder, "control"), allowHalfOpen: true });
  socket.end(lines);
  return (await text(socket)).split("\n").filter((line) => line !== "");
}
const publish = (...ports: string[]): Promise<string[]> =>
  say(`${ports.map((port) => `port ${port}\n`).join("")}end\n`);

async function serve(handle: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    handle(socket);
  });
  server.listen({ host, port: 0, backlog: 4096 });
  await once(server, "listening");
  cleanUp.push(() => server.close());
  return (server.address() as { port: number }).port;
}
const serveText = (word: string, host?: string): Promise<number> => serve((socket) => socket.end(word), host);

/** A port that nobody has on any address. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "::");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function dial(host: string, port: number): Socket {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on("error", () => undefined);
  cleanUp.push(() => socket.destroy());
  return socket;
}
const ask = (host: string, port: number): Promise<string> => text(dial(host, port)).catch(({ code }) => String(code));

describe("TCP", () => {
  test("both families lead to one target; a port goes, comes and changes hands without the others", async () => {
    const [one, two] = [await serveText("one"), await serveText("two")];
    const echo = await serve((socket) => socket.pipe(socket));
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    start();
    expect(
      await publish(
        `tcp 0.0.0.0 ${a} 127.0.0.1 ${one} x`,
        `tcp :: ${a} 127.0.0.1 ${one} x`,
        `tcp ::1 ${b} 127.0.0.1 ${two} y`,
        `tcp 127.0.0.1 ${c} 127.0.0.1 ${echo} z`,
      ),
    ).toEqual(["done"]);
    expect(await Promise.all([ask("127.0.0.1", a), ask("::1", a), ask("::1", b), ask("127.0.0.1", b)])).toEqual([
      "one",
      "one",
      "two",
      "ECONNREFUSED",
    ]);
    const kept = dial("127.0.0.1", c);
    kept.write("a");
    expect(String((await once(kept, "data"))[0])).toBe("a");
    expect(await publish(`tcp 0.0.0.0 ${a} 127.0.0.1 ${two} y`, `tcp 127.0.0.1 ${c} 127.0.0.1 ${echo} z`)).toEqual([
      "done",
    ]);
    expect(await Promise.all([ask("127.0.0.1", a), ask("::1", a), ask("::1", b)])).toEqual([
      "two",
      "ECONNREFUSED",
      "ECONNREFUSED",
    ]);
    kept.write("b");
    expect(String((await once(kept, "data"))[0])).toBe("b");
    const ended = once(kept, "end");
    expect(await publish()).toEqual(["done"]);
    await ended;
    await gone();
    expect(readdirSync(folder)).toEqual([".lock"]);
  });

  test("each half of a connection ends for itself; megabytes arrive whole; a reset is a reset", async () => {
    const many = Buffer.alloc(3_000_001, "0123456789abcdef");
    const counting = await serve((socket) => {
      let bytes = 0;
      socket.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      socket.on("end", () => socket.write(`${bytes} `, () => setTimeout(() => socket.end(many), 20)));
    });
    const rude = await serve((socket) => socket.on("data", () => socket.resetAndDestroy()));
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    start();
    await publish(
      `tcp 127.0.0.1 ${a} 127.0.0.1 ${counting} x`,
      `tcp :: ${b} 127.0.0.1 ${rude} x`,
      `tcp :: ${c} 127.0.0.1 1 x`,
    );
    const answers = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = dial("127.0.0.1", a);
        socket.end(many);
        return text(socket);
      }),
    );
    for (const answer of answers) expect(answer === `${many.length} ${many}`).toBe(true);
    const reset = dial("::1", b);
    reset.write("x");
    expect(await text(reset).catch(({ code }) => code)).toBe("ECONNRESET");
    expect(await ask("::1", c)).toBe("ECONNRESET");
  });

  test("twelve hundred connections at once, a client that reads nothing among them; pipes are held only by bytes under way", async () => {
    const echo = await serve((socket) => socket.pipe(socket));
    const flood = await serve((socket) => socket.write(Buffer.alloc(32 << 20)));
    const [a, b] = [await freePort(), await freePort()];
    start();
    await publish(`tcp 127.0.0.1 ${a} 127.0.0.1 ${echo} x`, `tcp 127.0.0.1 ${b} 127.0.0.1 ${flood} x`);
    dial("127.0.0.1", b).pause();
    const clients = Array.from({ length: 1200 }, (_, index) => {
      const socket = dial("127.0.0.1", a);
      socket.write(`${index} `);
      return once(socket, "data");
    });
    const heard = (await Promise.all(clients)).map(([chunk]) => Number(chunk));
    expect(heard).toEqual(Array.from({ length: 1200 }, (_, index) => index));
    const open = readdirSync(`/proc/${runningPid()}/fd`).length;
    expect(open).toBeGreaterThan(2400);
    expect(open).toBeLessThan(2550);
  });

  test("out of descriptors it waits, takes nobody's connection away and goes on when there is room", async () => {
    const echo = await serve((socket) => socket.pipe(socket));
    const a = await freePort();
    start(200);
    await publish(`tcp 127.0.0.1 ${a} 127.0.0.1 ${echo} x`);
    const sockets = Array.from({ length: 150 }, () => dial("127.0.0.1", a));
    const answers = sockets.map(() => 0);
    for (const [index, socket] of sockets.entries()) {
      socket.write("x");
      socket.on("data", () => {
        answers[index] = (answers[index] ?? 0) + 1;
      });
    }
    const answered = (): number => answers.filter((count) => count > 0).length;
    await until(() => answered() >= 60, "sixty answers");
    await delay(50);
    expect(answered()).toBeLessThan(sockets.length);
    const first = answers.findIndex((count) => count > 0);
    sockets[first]?.write("y");
    await until(() => answers[first] === 2, "an answer on a connection that stands");
    for (const socket of sockets.slice(0, 100)) socket.destroy();
    await until(() => answers.slice(100).every((count) => count > 0), "the rest");
    expect(await publish()).toEqual(["done"]);
  });

  test("clients whose bytes nobody reads leave room for callers", async () => {
    const silent = await serve((socket) => void socket.pause());
    const [a, b] = [await freePort(), await freePort()];
    const ports = [a, b].map((port) => `tcp 127.0.0.1 ${port} 127.0.0.1 ${silent} x`);
    start(200);
    await publish(...ports);
    const clients = Array.from({ length: 80 }, () => dial("127.0.0.1", a));
    // taken over first, so that descriptors are short when each of them wants a pipe
    const open = (): number => readdirSync(`/proc/${runningPid()}/fd`).length;
    await until(() => open() > 130, "connections up to the limit");
    for (const client of clients) client.write(Buffer.alloc(8 << 20));
    await until(() => open() > 160, "pipes beyond it");
    await delay(100);
    expect(open()).toBeLessThan(190);
    expect(await Promise.all([publish(...ports), publish(...ports)])).toEqual([["done"], ["done"]]);
  });
});

describe("UDP", () => {
  async function bound(type: "udp4" | "udp6", address: string): Promise<Datagrams> {
    const socket = createSocket(type);
    socket.bind(0, address);
    await once(socket, "listening");
    cleanUp.push(() => socket.close());
    return socket;
  }

  test("a flow per client, answers from the address that was asked, over both families", async () => {
    const server = await bound("udp4", "127.0.0.1");
    const seen = new Set<number>();
    server.on("message", (message, from) => {
      seen.add(from.port);
      server.send(`re ${message}`, from.port, from.address);
    });
    const a = await freePort();
    start();
    const target = `127.0.0.1 ${server.address().port} x`;
    expect(await publish(`udp 0.0.0.0 ${a} ${target}`, `udp :: ${a} ${target}`)).toEqual(["done"]);
    const [one, two, six] = [
      await bound("udp4", "127.0.0.1"),
      await bound("udp4", "127.0.0.1"),
      await bound("udp6", "::1"),
    ];
    const heard: string[] = [];
    for (const [name, client] of Object.entries({ one, two, six }))
      client.on("message", (message, from) =>
        heard.push(`${name} ${message.length > 99 ? message.length : message} ${from.address}`),
      );
    one.send("a", a, "127.0.0.1");
    two.send("b", a, "127.0.0.9");
    six.send("c", a, "::1");
    one.send(Buffer.alloc(9000), a, "127.0.0.1");
    one.send("", a, "127.0.0.1");
    await until(() => heard.length === 5, "five answers");
    expect(heard.toSorted()).toEqual(
      [
        "one 9003 127.0.0.1",
        "one re  127.0.0.1",
        "one re a 127.0.0.1",
        "six re c ::1",
        "two re b 127.0.0.9",
      ].toSorted(),
    );
    expect(seen.size).toBe(3);
  });

  test("more clients than it may have flows for: the silent ones make room", async () => {
    const server = await bound("udp4", "127.0.0.1");
    server.on("message", (message, from) => server.send(message, from.port, from.address));
    const a = await freePort();
    start(200);
    await publish(`udp 127.0.0.1 ${a} 127.0.0.1 ${server.address().port} x`);
    let heard = 0;
    for (let index = 0; index < 180; index++) {
      const client = await bound("udp4", "127.0.0.1");
      client.on("message", () => heard++);
      client.send("x", a, "127.0.0.1");
      const before = heard;
      await until(() => heard > before, `answer ${index}`);
    }
    expect(heard).toBe(180);
  });
});

describe("callers", () => {
  test("a thousand ports on both families at once; what is taken is told by its name, the rest stands", async () => {
    const one = await serveText("one");
    const taken = await serveText("other");
    start();
    const ports = Array.from({ length: 1000 }, (_, index) => 42_000 + index);
    const lines = ports.flatMap((port) => [
      `tcp 127.0.0.77 ${port} 127.0.0.1 ${one} x`,
      `tcp :: ${port} 127.0.0.1 ${one} x`,
    ]);
    expect(
      await publish(...lines, `tcp 127.0.0.1 ${taken} 127.0.0.1 ${one} x`, `tcp 203.0.113.9 5000 127.0.0.1 ${one} x`),
    ).toEqual(
      expect.arrayContaining([
        `failed tcp 127.0.0.1 ${taken} EADDRINUSE`,
        "failed tcp 203.0.113.9 5000 EADDRNOTAVAIL",
        "done",
      ]),
    );
    expect(await Promise.all([ask("127.0.0.77", 42_000), ask("::1", 42_999), ask("127.0.0.1", taken)])).toEqual([
      "one",
      "one",
      "other",
    ]);
  });

  test("as many ports as a request may have; what finds no descriptor is told, and one more is refused", async () => {
    start(200);
    const lines = Array.from({ length: PORTS_MAX }, (_, index) => {
      const address = `127.0.${index >> 14}.77`;
      return `port udp ${address} ${42_000 + (index & 0x3fff)} 127.0.0.1 9 x\n`;
    }).join("");
    const answer = await say(`${lines}end\n`);
    expect(answer.at(-1)).toBe("done");
    const failed = answer.slice(0, -1);
    expect(failed.filter((line) => !/^failed udp 127\.0\.\d\.77 \d+ EMFILE$/.test(line))).toEqual([]);
    expect(failed.length).toBeGreaterThan(PORTS_MAX - 200);
    expect(failed.length).toBeLessThan(PORTS_MAX);
    expect(await say(`${lines}port tcp 127.0.0.1 42000 127.0.0.1 9 x\nend\n`)).toEqual(["refused"]);
    expect(await publish()).toEqual(["done"]);
  });

  test("what is no request changes nothing; the folder is for its owner; a second start changes nothing", async () => {
    const one = await serveText("one");
    const a = await freePort();
    start();
    const first = runningPid();
    await publish(`tcp 127.0.0.1 ${a} 127.0.0.1 ${one} x`);
    const line = `port tcp 127.0.0.1 ${a} 127.0.0.1 ${one} x`;
    for (const lines of [
      "\n",
      "hello\n",
      `${"x".repeat(5000)}\n`,
      "port tcp 127.0.0.1 0 127.0.0.1 80 x\nend\n",
      "port tcp 127.0.0.1 65536 127.0.0.1 80 x\nend\n",
      "port tcp localhost 80 127.0.0.1 80 x\nend\n",
      "port sctp 127.0.0.1 80 127.0.0.1 80 x\nend\n",
      `${line} y\nend\n`,
      `${line}${"x".repeat(80)}\nend\n`,
      `${line}\0\nend\n`,
      "keep 5\nend\n",
    ])
      expect([lines, await say(lines)]).toEqual([lines, ["refused"]]);
    // cut short: no answer, no change
    expect(await say(line)).toEqual([]);
    start();
    expect(runningPid()).toBe(first);
    expect(await ask("127.0.0.1", a)).toBe("one");
    expect(statSync(join(folder, "control")).mode & 0o777).toBe(0o600);
    expect(spawnSync(join(NATIVE_DIR, "tsc-portd"), [join(folder, "none")]).status).toBe(1);
    expect(readFileSync(`/proc/${first}/status`, "utf8")).toMatch(
      /CapEff:\t0000000000000400\n(?:.*\n)*NoNewPrivs:\t1\n/,
    );
  });
});
