/** What containers reach of each other, of other networks and of the machine's interfaces, as root and as a user. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { check, modes } from "../faults/support.js";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { onHost, type Result, type TestHost, TSCOMPOSE } from "../helpers/host.js";

const registry = busyboxRegistry();

/** Root's bridges come into a namespace of their own: the machine's settings stay as they are. */
const machine = `tsci${process.pid}`;
beforeAll(() => {
  spawnSync("ip", ["netns", "add", machine]);
  spawnSync("ip", ["-n", machine, "link", "set", "lo", "up"]);
});
afterAll(() => {
  spawnSync("ip", ["netns", "delete", machine]);
});
const inMachine = ["nsenter", `--net=/run/netns/${machine}`];

function run(host: TestHost, cwd: string, ...args: string[]): Promise<Result> {
  return host.mode === "root" ? host.exec(cwd, [...inMachine, TSCOMPOSE, ...args]) : host.run(cwd, args);
}

async function must(host: TestHost, cwd: string, ...args: string[]): Promise<string> {
  const result = await run(host, cwd, ...args);
  if (result.code !== 0) throw new Error(`tscompose ${args.join(" ")} exited ${result.code}\n${result.stderr}`);
  return result.stdout;
}

/** Runs a script where the host's bridges are. */
function atBridges(host: TestHost, script: string): string {
  const pause = (): string => readFileSync(join(host.folder, "run/pause.pid"), "utf8").split(" ")[0] ?? "";
  const enter =
    host.mode === "root"
      ? inMachine
      : ["nsenter", "-t", pause(), "-m", "nsenter", `--net=${host.folder}/run/network/rootless-netns`];
  const [program = "sh", ...args] = [...enter, "sh", "-ec", script];
  return execFileSync(program, args, { encoding: "utf8" });
}

/** Output of a script in a service's container, whatever it exits with. */
const inside = async (host: TestHost, cwd: string, service: string, script: string): Promise<string> =>
  (await run(host, cwd, "exec", "-T", service, "sh", "-c", `${script} 2>&1; true`)).stdout;

async function addressOf(host: TestHost, cwd: string, service: string, family: "inet" | "inet6" = "inet") {
  const text = await inside(host, cwd, service, "ip -o addr show dev eth0 scope global");
  return new RegExp(`${family} ([0-9a-f.:]+)/`).exec(text)?.[1] ?? "none";
}

const pings = async (host: TestHost, cwd: string, service: string, address: string): Promise<boolean> =>
  (await inside(host, cwd, service, `ping -c1 -W2 ${address}`)).includes("1 packets received");

/** Whether port 80 of an address answers a container (its static wget cannot look a port up), after a script there. */
const answers = async (host: TestHost, cwd: string, service: string, address: string, script = ":"): Promise<boolean> =>
  (await inside(host, cwd, service, `${script}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} 80`)).includes(
    "answer",
  );

const web = (image: string, more: string): string => `{
  image: "${image}", init: true, stop_grace_period: 0s, ${more},
  command: sh -c "mkdir /www; echo answer > /www/index.html; exec httpd -f -p 80 -h /www" }`;

async function withDown(host: TestHost, folder: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } finally {
    await run(host, folder, "down", "-t", "0");
  }
}

describe.each(modes)("as %s", (mode) => {
  check(
    "enable_icc: false keeps a network's containers apart, whether bridges ask the packet filter or not",
    onHost(mode, async (host) => {
      const quiet = "networks: [quiet]";
      const folder = host.project("icc", {
        "compose.yaml": `
services:
  a: ${web(registry.image, `${quiet}, cap_add: [NET_ADMIN]`)}
  b: ${web(registry.image, quiet)}
  open: ${web(registry.image, "networks: [open]")}
  next: ${web(registry.image, "networks: [open]")}
networks:
  quiet: { enable_ipv6: true, driver_opts: { com.docker.network.bridge.enable_icc: "false" } }
  open: {}
`,
      });
      await host.must(folder, "pull");
      await withDown(host, folder, async () => {
        await must(host, folder, "up", "-d", "--wait");
        const [four, six] = [await addressOf(host, folder, "b"), await addressOf(host, folder, "b", "inet6")];
        for (const filtered of [0, 1]) {
          const settings = ["iptables", "ip6tables"].map((name) => `/proc/sys/net/bridge/bridge-nf-call-${name}`);
          atBridges(host, settings.map((path) => `echo ${filtered} > ${path}`).join("; "));
          const reached = [
            await pings(host, folder, "a", four),
            await pings(host, folder, "a", six),
            await answers(host, folder, "a", four),
            await answers(host, folder, "a", six),
            // by way of the gateway, as if it were a router between the two
            await answers(host, folder, "a", four, `ip route replace ${four} via ${four.replace(/\d+$/, "1")}`),
          ];
          expect([filtered, ...reached]).toEqual([filtered, false, false, false, false, false]);
          const next = await addressOf(host, folder, "next");
          expect(await answers(host, folder, "open", next)).toBe(true);
          // the host and the names stay
          expect(await pings(host, folder, "a", four.replace(/\d+$/, "1"))).toBe(true);
          expect(await inside(host, folder, "a", "nslookup b")).toContain(four);
        }
      });
    }),
    120_000,
  );

  check(
    "a network's names and gateway are for its own containers",
    onHost(mode, async (host) => {
      const compose = `
services:
  one: ${web(registry.image, "networks: [one]")}
  two: ${web(registry.image, "networks: [two]")}
  shut: ${web(registry.image, "networks: [shut]")}
networks: { one: {}, two: {}, shut: { internal: true } }
`;
      const folder = host.project("names", { "compose.yaml": compose });
      await host.must(folder, "pull");
      await withDown(host, folder, async () => {
        await must(host, folder, "up", "-d", "--wait");
        const services = ["one", "two", "shut"];
        const address = new Map<string, string>();
        for (const service of services) address.set(service, await addressOf(host, folder, service));
        const reached: string[] = [];
        for (const from of services) {
          for (const to of services) {
            const ip = address.get(to) ?? "";
            const gateway = ip.replace(/\d+$/, "1");
            if ((await inside(host, folder, from, `timeout 4 nslookup ${to} ${gateway}`)).includes(ip))
              reached.push(`${from} asks for ${to}`);
            if (from === to) continue;
            if (await pings(host, folder, from, gateway)) reached.push(`${from} pings the gateway of ${to}`);
            if (await pings(host, folder, from, ip)) reached.push(`${from} pings ${to}`);
          }
        }
        expect(reached).toEqual(services.map((service) => `${service} asks for ${service}`));
      });
    }),
    120_000,
  );

  check(
    "a port that is published on 127.0.0.1 is for the host alone, one on all addresses for neighbours too",
    onHost(mode, async (host) => {
      const port = 20_000 + (process.pid % 10_000);
      const folder = host.project("loopback", {
        "compose.yaml": `
services:
  own: ${web(registry.image, `networks: [one], ports: ["127.0.0.1:${port}:80"]`)}
  all: ${web(registry.image, `networks: [one], ports: ["${port + 1}:80"]`)}
  near: { image: "${registry.image}", init: true, command: sleep 1000, stop_grace_period: 0s, networks: [one] }
  far: { image: "${registry.image}", init: true, command: sleep 1000, stop_grace_period: 0s, networks: [two] }
networks: { one: {}, two: {} }
`,
      });
      await host.must(folder, "pull");
      await withDown(host, folder, async () => {
        await must(host, folder, "up", "-d", "--wait");
        const gateway = async (service: string): Promise<string> =>
          (await addressOf(host, folder, service)).replace(/\d+$/, "1");
        const gateways = { near: await gateway("near"), far: await gateway("far") };
        const places = [...Object.values(gateways), "127.0.0.1", ...(mode === "user" ? ["10.0.2.100"] : [])];
        for (const service of ["near", "far"] as const) {
          const get = (at: string, number: number): string =>
            `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 ${at} ${number} | grep -q answer && echo ${at}:${number}`;
          const script = [...places.map((at) => get(at, port)), get(gateways[service], port + 1)].join("; ");
          const reached = await inside(host, folder, service, script);
          expect(reached.match(/^[\d.]+:\d+$/gm)).toEqual([`${gateways[service]}:${port + 1}`]);
        }
        const fromHost = ["sh", "-c", `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 127.0.0.1 ${port}`];
        const { stdout } = await host.exec("/", mode === "root" ? [...inMachine, ...fromHost] : fromHost);
        expect(stdout).toContain("answer");
      });
    }),
    120_000,
  );

  check(
    "a bridge is never another interface, nor more than one",
    onHost(mode, async (host) => {
      const named = (name: string): string => `
services: { a: ${web(registry.image, "networks: [n]")} }
networks: { n: { driver_opts: { com.docker.network.bridge.name: ${JSON.stringify(name)} } } }
`;
      const running = host.project("running", { "compose.yaml": named("tscown.1") });
      await host.must(running, "pull");
      await withDown(host, running, async () => {
        await must(host, running, "up", "-d", "--wait");
        const taken = mode === "root" ? ["foreign0", "foreign1"] : ["tap0"];
        if (mode === "root")
          atBridges(
            host,
            "ip link add foreign0 type veth peer name foreign2; ip link add foreign1 type bridge; ip link set foreign1 up",
          );
        const refused = async (name: string, code: string): Promise<string> => {
          const folder = host.project(`bad${Buffer.from(name).toString("hex")}`, { "compose.yaml": named(name) });
          const { stderr } = await run(host, folder, "up", "-d");
          expect([name, stderr]).toEqual([name, expect.stringContaining(code)]);
          return folder;
        };
        for (const name of ["br+", 'x" -j ACCEPT', "all"]) await refused(name, "TSC_INTERFACE_NAME");
        await refused("tscown.1", "belongs to network running_n");
        for (const name of taken) {
          const folder = await refused(name, "TSC_INTERFACE_TAKEN");
          expect(await run(host, folder, "down", "-t", "0")).toMatchObject({ code: 0 });
        }
        const links = atBridges(host, "ip -o link");
        for (const name of taken) expect(links).toContain(` ${name}`);
        expect(await inside(host, running, "a", "nslookup a")).toContain(await addressOf(host, running, "a"));
        if (mode === "root") atBridges(host, "ip link delete foreign0; ip link delete foreign1");
      });
    }),
    180_000,
  );
});
