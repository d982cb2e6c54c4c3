import { describe, expect, test } from "@jest/globals";
import {
  DRIVERS,
  driverFacts,
  driverNamed,
  isPredefined,
  type Links,
} from "../../../../src/engine/network/drivers/index.js";
import { routedLink } from "../../../../src/engine/network/machine-links.js";

const links: Links = { has: (name) => name !== "gone0", isWireless: (name) => name === "wlan0", routed: () => "eth0" };
const wish = (options: Record<string, string>) => ({ options, bridge: "", mtu: 0 });

describe("network drivers", () => {
  test("each says the first plugin of its lists among its programs, and knows docker's MTU option", () => {
    for (const driver of DRIVERS) {
      const [main] = driver.plugins({ ...wish({}), bridge: driver.ownsBridge ? "tsc-1" : "" });
      expect(driver.programs).toContain(main?.type);
      expect(driver.options["com.docker.network.driver.mtu"]?.("1400")).toBeUndefined();
      expect(driver.options["com.docker.network.driver.mtu"]?.("1e3")).toMatchObject({ code: "TSC_NETWORK_OPTION" });
      expect(driverNamed(driver.name)).toBe(driver);
    }
    expect(driverNamed("constructor")).toBeUndefined();
    expect(driverFacts("overlay")).toMatchObject({ refusal: "needs a cluster" });
    expect(["bridge", "host", "none", "macvlan", "app"].filter(isPredefined)).toEqual(["bridge", "host", "none"]);
  });

  test.each([
    ["macvlan", "gone0", "which is not there"],
    ["macvlan", "wlan0", "wireless"],
    ["ipvlan", "gone0", "which is not there"],
    ["ipvlan", "wlan0", undefined],
    ["macvlan", "eth0", undefined],
    ["macvlan", "", undefined],
  ])("%s on %j: %s", (name, parent, what) => {
    const found = driverNamed(name)?.check(wish(parent === "" ? {} : { parent }), links);
    if (what === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ code: "TSC_NETWORK_PARENT", what: expect.stringContaining(what) });
  });

  test("without a parent and without a default route there is nothing to be on", () => {
    const found = driverNamed("macvlan")?.check(wish({}), { ...links, routed: () => undefined });
    expect(found?.what).toContain("no default route");
  });

  test("each mode is its driver's own", () => {
    const main = (name: string, options: Record<string, string>) => driverNamed(name)?.plugins(wish(options))[0];
    expect(main("macvlan", {})).toMatchObject({ type: "macvlan", mode: "bridge" });
    expect(main("macvlan", { ipvlan_mode: "l3", macvlan_mode: "vepa" })).toMatchObject({ mode: "vepa" });
    expect(main("ipvlan", { parent: "eth1" })).toMatchObject({ type: "ipvlan", mode: "l2", master: "eth1" });
    expect(driverNamed("ipvlan")?.options["macvlan_mode"]).toBeUndefined();
  });

  test("the default route's interface", () => {
    const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
    const row = (name: string, to: string, mask: string) => `${name}\t${to}\t0100000A\t0003\t0\t0\t0\t${mask}\t0\t0\t0`;
    const text = [head, row("lan0", "0000000A", "00FFFFFF"), row("eth7", "00000000", "00000000"), ""].join("\n");
    expect(routedLink(text)).toBe("eth7");
    expect(routedLink(`${head}\n`)).toBeUndefined();
  });
});
