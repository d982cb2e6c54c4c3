/** Joining a bridge by ourselves leaves what the CNI plugins `bridge` and `static` leave. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type CniHost, cniAdd, cniDel } from "../../../src/engine/network/cni.js";
import type { CniList } from "../../../src/engine/network/cni-types.js";
import { conflistWith, fillConflist } from "../../../src/engine/network/conflist.js";
import { DEFAULT_DRIVER } from "../../../src/engine/network/drivers/index.js";
import { pluginDirs } from "../../../src/engine/network/programs.js";
import { openKernel } from "../../../src/kernel/index.js";
import { printedIn } from "./support.js";

const kernel = openKernel({ nativeDir: "native/build" });
const check = process.getuid?.() === 0 ? test : test.skip;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsc-bridge-plugin-"));
});
afterEach(() => {
  for (const name of readdirSync(folder)) kernel.removeNetworkNamespace(join(folder, name));
  rmSync(folder, { recursive: true });
});

const inside = (netns: string, ...argv: string[]): string => printedIn(netns, argv);

interface Shown {
  ifname: string;
  ifindex: number;
  addr_info?: { local: string; valid_life_time: number }[];
}

/** Links, addresses, routes and settings, without what is drawn anew for each. */
function seen(netns: string) {
  const drawn =
    /^(ifindex|link_index|address|txqlen|stats\w*|.*timer|(bridge|root|designated_\w+)_?id|bridge_id|designated_.*)$/;
  const plain = (text: string, own: readonly string[]) =>
    JSON.parse(text.replaceAll(/veth[0-9a-f]{8}/g, "VETH"), (key, value) => {
      if (own.includes(key) || drawn.test(key) || value === null) return undefined;
      return value;
    });
  const addresses = (plain(inside(netns, "ip", "-j", "-d", "addr"), ["flags", "nodad", "tentative"]) as Shown[]).map(
    (link) => ({ ...link, addr_info: link.addr_info?.filter(({ local }) => !local.startsWith("fe80:")) }),
  );
  const settings = (names: readonly string[]) =>
    names.map((name) => {
      const file = `/proc/sys/net/${name}`;
      return [name, inside(netns, "sh", "-c", `cat ${file} 2>/dev/null || true`).trim()];
    });
  return {
    addresses,
    routes: plain(inside(netns, "ip", "-j", "route"), []),
    routes6: (plain(inside(netns, "ip", "-j", "-6", "route"), ["flags"]) as { dst: string }[]).filter(
      ({ dst }) => !dst.startsWith("fe80:"),
    ),
    settings: settings([
      "ipv4/ip_forward",
      "ipv6/conf/all/forwarding",
      "ipv4/conf/eth0/arp_notify",
      "ipv6/conf/eth0/accept_dad",
      "ipv6/conf/eth0/disable_ipv6",
      "ipv6/conf/br-test/accept_ra",
    ]),
  };
}

function listOf(options: { mtu: number; mac: boolean; ipv6: boolean; defaultRoutes: (4 | 6)[] }): CniList {
  const list = conflistWith("app", DEFAULT_DRIVER.plugins({ options: {}, bridge: "br-test", mtu: options.mtu }));
  const addresses = [
    { address: "10.77.0.5/24", gateway: "10.77.0.1" },
    ...(options.ipv6 ? [{ address: "fd77::5/64", gateway: "fd77::1" }] : []),
  ];
  return fillConflist(list, addresses, { defaultRoutes: options.defaultRoutes });
}

const hostOf = (site: string, direct: boolean): CniHost => ({
  kernel,
  dirs: pluginDirs({}),
  env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  prefix: kernel.inNetworkNamespace(site),
  ...(direct ? { direct: site } : {}),
});

async function joined(name: string, direct: boolean, list: CniList, mac: string, sysctls: Record<string, string>) {
  const site = join(folder, `${name}-site`);
  const netns = join(folder, `${name}-netns`);
  await kernel.createNetworkNamespace(site, { "net.ipv6.conf.default.accept_dad": "0" });
  await kernel.createNetworkNamespace(netns, sysctls);
  const attachment = {
    containerId: "c1",
    netns,
    ifName: "eth0",
    args: `IgnoreUnknown=1;K8S_POD_NAME=web${mac === "" ? "" : `;MAC=${mac}`}`,
    capabilityArgs: mac === "" ? {} : { mac },
  };
  const result = await cniAdd(hostOf(site, direct), list, attachment);
  const state = { site: seen(site), netns: seen(netns) };
  return { site, netns, attachment, result, state };
}

check.each([
  ["IPv4", { mtu: 0, mac: false, ipv6: false, defaultRoutes: [4] as (4 | 6)[] }, {}],
  ["both families, MTU and MAC", { mtu: 9000, mac: true, ipv6: true, defaultRoutes: [4, 6] as (4 | 6)[] }, {}],
  [
    "no route, IPv6 switched off",
    { mtu: 1400, mac: false, ipv6: false, defaultRoutes: [] },
    { "net.ipv6.conf.all.disable_ipv6": "1" },
  ],
  [
    "IPv6 on where it was off",
    { mtu: 0, mac: false, ipv6: true, defaultRoutes: [6] as (4 | 6)[] },
    { "net.ipv6.conf.default.disable_ipv6": "1" },
  ],
])(
  "%s",
  async (_name, options, sysctls) => {
    const list = listOf(options);
    const mac = options.mac ? "02:42:0a:4d:00:05" : "";
    const theirs = await joined("theirs", false, list, mac, sysctls);
    const ours = await joined("ours", true, list, mac, sysctls);
    expect(ours.state).toEqual(theirs.state);
    const shape = (result: object, netns: string) =>
      JSON.parse(
        JSON.stringify(result)
          .replaceAll(netns, "NETNS")
          .replaceAll(/veth[0-9a-f]{8}/g, "VETH")
          .replaceAll(/"mac":"(?!02:42)[0-9a-f:]{17}"/g, '"mac":"M"'),
      );
    expect(shape(ours.result, ours.netns)).toEqual(shape(theirs.result, theirs.netns));
    const link = JSON.parse(inside(ours.netns, "ip", "-j", "link", "show", "eth0"))[0] as { address: string };
    expect(ours.result.interfaces?.[2]?.mac).toBe(link.address);

    for (const { site, netns, attachment, result } of [ours, theirs]) {
      await cniDel(hostOf(site, site === ours.site), list, attachment, result);
      expect(inside(netns, "ip", "-o", "link").trim().split("\n")).toHaveLength(1);
      expect(inside(site, "ip", "-o", "link", "show", "type", "veth")).toBe("");
      // DEL of what is gone already is no error
      await cniDel(hostOf(site, site === ours.site), list, attachment, result);
    }
  },
  30_000,
);

check("a link-local address, which has no gateway", async () => {
  const site = join(folder, "site");
  const netns = join(folder, "netns");
  await kernel.createNetworkNamespace(site);
  await kernel.createNetworkNamespace(netns);
  const list = fillConflist(
    listOf({ mtu: 0, mac: false, ipv6: false, defaultRoutes: [4] }),
    [
      { address: "10.77.0.5/24", gateway: "10.77.0.1" },
      { address: "169.254.7.7/16", gateway: "" },
    ],
    { defaultRoutes: [4] },
  );
  await cniAdd(hostOf(site, true), list, { containerId: "c1", netns, ifName: "eth0", args: "", capabilityArgs: {} });
  expect(inside(netns, "ip", "-o", "-4", "addr", "show", "eth0").match(/inet \S+/g)).toEqual([
    "inet 10.77.0.5/24",
    "inet 169.254.7.7/16",
  ]);
  expect(inside(site, "ip", "-o", "-4", "addr", "show", "br-test").match(/inet \S+/g)).toEqual(["inet 10.77.0.1/24"]);
});

check("the name of a bridge that is another kind of link, and a name in the container that is taken", async () => {
  const site = join(folder, "site");
  const netns = join(folder, "netns");
  await kernel.createNetworkNamespace(site);
  await kernel.createNetworkNamespace(netns);
  const list = listOf({ mtu: 0, mac: false, ipv6: false, defaultRoutes: [4] });
  const attachment = { containerId: "c1", netns, ifName: "eth0", args: "", capabilityArgs: {} };
  inside(site, "ip", "link", "add", "br-test", "type", "veth", "peer", "name", "other");
  await expect(cniAdd(hostOf(site, true), list, attachment)).rejects.toMatchObject({
    code: "TSC_CNI_FAILED",
    message: expect.stringContaining("a link that is no bridge has the name 'br-test'"),
  });
  inside(site, "ip", "link", "del", "br-test");
  inside(netns, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other");
  await expect(cniAdd(hostOf(site, true), list, attachment)).rejects.toMatchObject({
    message: expect.stringContaining("EEXIST"),
  });
  expect(inside(site, "ip", "-o", "link", "show", "type", "veth")).toBe("");
});
