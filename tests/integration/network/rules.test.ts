/** The kernel's own words for our rules: what is there already is not written again, what was taken away is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { chainsOf, type RuleNetwork, type RulePort, restoreText } from "../../../src/engine/network/rules.js";
import { openKernel } from "../../../src/kernel/index.js";
import { printedIn } from "./support.js";

const kernel = openKernel({ nativeDir: "native/build" });
const check = process.getuid?.() === 0 ? test : test.skip;
let folder: string;
let netns: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tsc-rules-"));
  netns = join(folder, "netns");
  await kernel.createNetworkNamespace(netns);
});
afterEach(() => {
  kernel.removeNetworkNamespace(netns);
  rmSync(folder, { recursive: true });
});
const inside = (argv: readonly string[], input?: string): string => printedIn(netns, argv, input);

const chains = chainsOf("/run/somewhere");
const network = (change: Partial<RuleNetwork>): RuleNetwork => ({
  bridge: "tsc-1",
  subnets: [],
  internal: false,
  interContainer: true,
  masquerade: true,
  ...change,
});

check.each([4, 6] as const)("IPv%s", (family) => {
  const of = (four: string, six: string) => (family === 4 ? four : six);
  const subnets = [{ subnet: of("10.89.0.0/24", "fd00:89::/64"), gateway: of("10.89.0.1", "fd00:89::1") }];
  const networks = [
    network({ subnets }),
    network({ bridge: "tsc-2", internal: true, subnets }),
    network({ bridge: "br-own", interContainer: false, masquerade: false, subnets }),
  ];
  const to = { containerIp: of("10.89.0.2", "fd00:89::2"), containerPort: 80 };
  const ports: RulePort[] = [
    { ...to, protocol: "tcp", hostIp: "", hostPort: 8080 },
    { ...to, protocol: "udp", hostIp: of("127.0.0.1", "::1"), hostPort: 53 },
    { ...to, protocol: "sctp", hostIp: "", hostPort: 9 },
  ];
  const command = family === 4 ? "iptables" : "ip6tables";
  const save = () => inside([`${command}-save`]);
  const missing = (text = save()) => restoreText(family, chains, networks, ports, text);
  const apply = (text: string) => inside([`${command}-restore`, "--noflush"], text);

  apply(missing());
  expect(missing()).toBe("");
  inside([command, "-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"]);
  expect(missing()).toBe("");

  // a rule taken away, rules in another order, a jump taken away, everything flushed
  const whole = save();
  const dropped = whole.split("\n").filter((line) => !line.includes("--dport 9 "));
  expect(missing(dropped.join("\n"))).toMatch(/^\*nat\n/);
  inside([command, "-t", "filter", "-D", chains.forward, "1"]);
  expect(missing()).toMatch(/^\*filter\n[^*]*COMMIT\n$/);
  apply(missing());
  expect(missing()).toBe("");
  inside([command, "-D", "FORWARD", "-j", chains.forward]);
  expect(missing()).toContain(`-I FORWARD 1 -j ${chains.forward}`);
  inside([command, "-t", "nat", "-F"]);
  apply(missing());
  expect(missing()).toBe("");

  apply(restoreText(family, chains, [], [], save()));
  expect(save()).not.toContain("TSC-");
});
