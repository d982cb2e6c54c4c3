/**
 * Who reaches what when containers run: neighbours on the host's networks, containers of other networks, strangers who take the host for
 * a router. Every host here is a network namespace of its own with two neighbours on wires, so that the machine's switches stay as they are.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect } from "@jest/globals";
import { check } from "../faults/support.js";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type Result, type TestHost, TSCOMPOSE } from "../helpers/host.js";

const registry = busyboxRegistry();
const sh = (script: string): string => execFileSync("sh", ["-ec", script], { encoding: "utf8" });

/** A host between two neighbours; `near` and `far` reach each other only when the host routes. */
class Lan implements Disposable {
  readonly #id = `tscr${process.pid}`;
  readonly host = `${this.#id}h`;
  readonly near = `${this.#id}n`;
  readonly far = `${this.#id}f`;

  constructor() {
    const wire = (name: string, net: string, six: string): string => `
      ip netns add ${name}
      ip link add ${net} netns ${this.host} type veth peer name lan0 netns ${name}
      ip -n ${this.host} addr add ${six}::1/64 dev ${net} nodad
      ip -n ${this.host} addr add ${net === "near" ? "10.200.0" : "10.201.0"}.1/24 dev ${net}
      ip -n ${this.host} link set ${net} up
      ip -n ${name} addr add ${six}::2/64 dev lan0 nodad
      ip -n ${name} addr add ${net === "near" ? "10.200.0" : "10.201.0"}.2/24 dev lan0
      ip -n ${name} link set lo up
      ip -n ${name} link set lan0 up
      ip -n ${name} route add default via ${net === "near" ? "10.200.0" : "10.201.0"}.1
      ip -n ${name} -6 route add default via ${six}::1 dev lan0`;
    sh(`ip netns add ${this.host}; ip -n ${this.host} link set lo up
      ${wire(this.near, "near", "fd11")}
      ${wire(this.far, "far", "fd12")}`);
    // a new namespace has the machine's IPv4 settings
    this.at(this.host, "echo 0 >/proc/sys/net/ipv4/ip_forward");
  }

  /** Output of a script in one of the namespaces, "" when it fails. */
  at(namespace: string, script: string): string {
    const argv = [`--net=/run/netns/${namespace}`, "timeout", "10", "sh", "-c", script];
    return spawnSync("nsenter", argv, { encoding: "utf8" }).stdout.trim();
  }

  /** What a neighbour gets from a URL, "" when it cannot. */
  get(namespace: string, url: string): string {
    return this.at(namespace, `timeout 2 busybox wget -q -O - '${url}' 2>/dev/null`);
  }

  pings(namespace: string, address: string): boolean {
    return this.at(namespace, `busybox ping -c1 -W2 ${address} >/dev/null && echo yes`) === "yes";
  }

  /** The switches of both families and the policies of FORWARD. */
  switches(): string {
    return this.at(
      this.host,
      `cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
       iptables -S FORWARD | head -1; ip6tables -S FORWARD | head -1`,
    ).replaceAll("\n", " ");
  }

  /** Runs the program as if this were the machine. */
  run(host: TestHost, cwd: string, ...args: string[]): Promise<Result> {
    return host.exec(cwd, ["nsenter", `--net=/run/netns/${this.host}`, TSCOMPOSE, ...args]);
  }

  async must(host: TestHost, cwd: string, ...args: string[]): Promise<string> {
    const result = await this.run(host, cwd, ...args);
    if (result.code !== 0) throw new Error(`tscompose ${args.join(" ")} exited ${result.code}\n${result.stderr}`);
    return result.stdout;
  }

  [Symbol.dispose](): void {
    for (const name of [this.host, this.near, this.far]) spawnSync("ip", ["netns", "delete", name]);
  }
}

/** A test between neighbours; the project in `folder` is taken down in the namespace it was brought up in. */
const onLan = (body: (host: TestHost, lan: Lan) => Promise<void>) =>
  onHost("root", async (host) => {
    using lan = new Lan();
    const folders: string[] = [];
    const project = host.project.bind(host);
    host.project = (name, files) => {
      const folder = project(name, files);
      folders.push(folder);
      return folder;
    };
    try {
      await body(host, lan);
    } finally {
      for (const folder of folders) await lan.run(host, folder, "down", "-t", "0");
    }
  });

const web = (image: string, more: string): string => `{
  image: "${image}", init: true, stop_grace_period: 0s, ${more},
  command: sh -c "mkdir /www; echo answer > /www/index.html; httpd -p 81 -h /www; exec httpd -f -p 80 -h /www" }`;

const off = "0 0 -P FORWARD ACCEPT -P FORWARD ACCEPT";
const on = "1 1 -P FORWARD DROP -P FORWARD DROP";

async function addressesOf(host: TestHost, lan: Lan, cwd: string, service: string): Promise<string[]> {
  const text = await lan.must(host, cwd, "exec", "-T", service, "ip", "-o", "addr", "show", "dev", "eth0");
  return [...text.matchAll(/inet6? ([0-9a-f.:]+)\//g)].flatMap(([, ip = ""]) => (ip.startsWith("fe80") ? [] : [ip]));
}

describe("neighbours of the host", () => {
  check(
    "reach what is published for them, and no other port, address or name; the host is nobody's router",
    onLan(async (host, lan) => {
      const folder = host.project("app", {
        "compose.yaml": `
services:
  web: ${web(registry.image, `networks: { front: { gw_priority: 1, priority: 1 }, other: {} }, ports: ["8080:80", "127.0.0.1:8081:80", "[::1]:8082:80"]`)}
  db: ${web(registry.image, "networks: [back]")}
networks:
  front: { enable_ipv6: true }
  other: { driver_opts: { com.docker.network.bridge.enable_ip_masquerade: "false" } }
  back: { internal: true }
`,
      });
      await host.must(folder, "pull");
      expect(lan.pings(lan.near, "10.201.0.2")).toBe(false);
      await lan.must(host, folder, "up", "-d", "--wait");
      // its server begins a moment after the container
      await eventually(() => lan.get(lan.near, "http://10.200.0.1:8080/") === "answer");
      await eventually(() => lan.get(lan.near, "http://[fd11::1]:8080/") === "answer");
      expect(lan.get(lan.host, "http://127.0.0.1:8081/")).toBe("answer");
      const all = [
        ...(await addressesOf(host, lan, folder, "web")),
        ...(await addressesOf(host, lan, folder, "db")),
        (await lan.must(host, folder, "exec", "-T", "web", "sh", "-c", "ip -o -4 addr show dev eth1")).replace(
          /^.*inet ([\d.]+)\/.*$/s,
          "$1",
        ),
      ];
      expect(all.length).toBeGreaterThanOrEqual(4);
      const reached: string[] = [];
      const note = (what: string, isReached: boolean): void => {
        if (isReached) reached.push(what);
      };
      // what a neighbour sends on purpose to a host that accepts packets for 127.0.0.1 on every interface
      lan.at(lan.host, "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet");
      lan.at(
        lan.far,
        `echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; ip addr flush dev lo; ip route flush table local 127.0.0.0/8
         ip route add 127.0.0.0/8 via 10.201.0.1`,
      );
      for (const port of [8080, 8081]) note(`loopback ${port}`, lan.get(lan.far, `http://127.0.0.1:${port}/`) !== "");
      for (const address of all) {
        const shown = address.includes(":") ? `[${address}]` : address;
        note(`ping ${address}`, lan.pings(lan.near, address));
        for (const port of [80, 81]) note(`${shown}:${port}`, lan.get(lan.near, `http://${shown}:${port}/`) !== "");
        if (address.includes(":")) continue;
        const gateway = address.replace(/\.\d+$/, ".1");
        note(
          `names of ${gateway}`,
          /answer|Address.*10\.\d+\.\d+\.[2-9]$/m.test(lan.at(lan.near, `timeout 3 busybox nslookup web ${gateway}`)),
        );
      }
      note("published on loopback", lan.get(lan.near, "http://10.200.0.1:8081/") !== "");
      note("published on IPv6 loopback", lan.get(lan.near, "http://[fd11::1]:8082/") !== "");
      note("routed for strangers", lan.pings(lan.near, "10.201.0.2"));
      note("routed for strangers, IPv6", lan.pings(lan.near, "fd12::2"));
      expect(reached).toEqual([]);
      // and containers still get out
      expect(await lan.must(host, folder, "exec", "-T", "web", "ping", "-c1", "-W2", "10.200.0.2")).toContain(
        "1 packets received",
      );
      expect(await lan.must(host, folder, "exec", "-T", "web", "ping", "-c1", "-W2", "fd11::2")).toContain(
        "1 packets received",
      );
    }),
    120_000,
  );
});

describe("the host's forwarding", () => {
  const compose = (image: string): string => `
services:
  a: { image: "${image}", command: sleep 1000, init: true, stop_grace_period: 0s }
networks: { default: { enable_ipv6: true } }
`;

  check(
    "goes on with a guard and off with the last network of the last store; routers stay known",
    onLan(async (host, lan) => {
      const folder = host.project("app", { "compose.yaml": compose(registry.image) });
      const other = host.project("second", { "compose.yaml": compose(registry.image) });
      const store = { TSCOMPOSE_ROOT: `${host.folder}/store2`, TSCOMPOSE_RUN_ROOT: `${host.folder}/run/second` };
      await host.must(folder, "pull");
      lan.at(lan.host, "echo 1 >/proc/sys/net/ipv6/conf/near/accept_ra; echo 0 >/proc/sys/net/ipv6/conf/far/accept_ra");
      const hearing = (): string =>
        lan.at(lan.host, "cat /proc/sys/net/ipv6/conf/near/accept_ra /proc/sys/net/ipv6/conf/far/accept_ra");
      expect(lan.switches()).toBe(off);
      await lan.must(host, folder, "up", "-d");
      expect([lan.switches(), hearing()]).toEqual([on, "2\n0"]);
      await lan.must(host, other, "up", "-d");
      await lan.must(host, folder, "down", "-t", "0");
      expect(lan.switches()).toBe(on);
      await lan.must(host, folder, "up", "-d");
      await lan.must(host, other, "down", "-t", "0");
      const inSecond = (...args: string[]): Promise<Result> =>
        host.exec(other, ["nsenter", `--net=/run/netns/${lan.host}`, TSCOMPOSE, ...args], { env: store });
      try {
        const image = `${host.folder}/image.tar`;
        await host.must(folder, "image", "save", "-o", image, registry.image);
        expect((await inSecond("image", "load", "-i", image)).code).toBe(0);
        expect(await inSecond("up", "-d")).toMatchObject({ code: 0 });
        await lan.must(host, folder, "down", "-t", "0");
        expect(lan.switches()).toBe(on);
      } finally {
        await inSecond("down", "-t", "0");
      }
      expect([lan.switches(), hearing()]).toEqual([off, "1\n0"]);
      expect(lan.at(lan.host, "iptables-save; ip6tables-save")).not.toContain("TSC-");
    }),
    120_000,
  );

  check(
    "that was on before stays as it was, and what others added keeps it on",
    onLan(async (host, lan) => {
      const folder = host.project("app", { "compose.yaml": compose(registry.image) });
      await host.must(folder, "pull");
      lan.at(lan.host, "echo 1 >/proc/sys/net/ipv4/ip_forward");
      await lan.must(host, folder, "up", "-d");
      expect(lan.switches()).toBe("1 1 -P FORWARD ACCEPT -P FORWARD DROP");
      expect(lan.pings(lan.near, "10.201.0.2")).toBe(true);
      lan.at(lan.host, "ip6tables -A FORWARD -i near -j ACCEPT");
      const { stderr } = await lan.run(host, folder, "down", "-t", "0");
      expect(stderr).toContain("IPv6 forwarding, which tscompose switched on, stays on");
      expect(lan.switches()).toBe("1 1 -P FORWARD ACCEPT -P FORWARD DROP");
      expect(lan.at(lan.host, "iptables-save; ip6tables-save")).not.toContain("TSC-");
    }),
    60_000,
  );

  check(
    "is never on without its guard, and back after `down`, whenever `up` and `down` are killed",
    onLan(async (host, lan) => {
      const folder = host.project("app", { "compose.yaml": compose(registry.image) });
      await host.must(folder, "pull");
      const killed = async (delayMs: number, ...args: string[]): Promise<void> => {
        const child = spawn("nsenter", [`--net=/run/netns/${lan.host}`, TSCOMPOSE, ...args], {
          cwd: folder,
          env: host.env,
          stdio: "ignore",
          detached: true,
        });
        const exited = once(child, "exit");
        const timer = setTimeout(() => child.exitCode === null && process.kill(-(child.pid ?? 0), "SIGKILL"), delayMs);
        await exited;
        clearTimeout(timer);
      };
      for (let delay = 40; delay < 1_200; delay += 90) {
        await killed(delay, "up", "-d");
        expect(lan.switches()).not.toMatch(/^1 . -P FORWARD ACCEPT|^. 1 -P FORWARD \w+ -P FORWARD ACCEPT/);
        await killed(delay, "down", "-t", "0");
        expect(lan.switches()).not.toMatch(/^1 . -P FORWARD ACCEPT|^. 1 -P FORWARD \w+ -P FORWARD ACCEPT/);
        await lan.must(host, folder, "up", "-d");
        await lan.must(host, folder, "down", "-t", "0");
        expect([delay, lan.switches()]).toEqual([delay, off]);
      }
      expect(lan.at(lan.host, "iptables-save; ip6tables-save")).not.toContain("TSC-");
    }),
    300_000,
  );
});
