import { expect, test } from "@jest/globals";
import {
  checkDnsName,
  checkInterfaceName,
  checkMac,
  checkNetworkName,
  checkPluginType,
} from "../../../../src/engine/network/names.js";

const table: [string, (text: string) => unknown, string[], string[]][] = [
  ["network names", checkNetworkName, ["app", "a.b-c_d", "0"], ["", ".x", "-x", "a/b", "../x", "a b", "a\nb", "a;b"]],
  ["plugin types", checkPluginType, ["bridge", "host-local"], ["", "../bridge", "/bin/sh", "a/b", ".x"]],
  [
    "interface names",
    checkInterfaceName,
    ["eth0", "wan.100", "_x", "br-0123456789ab"],
    [
      ...[
        "",
        ".",
        "..",
        ".x",
        "-x",
        "lo",
        "all",
        "default",
        "a/b",
        "a:b",
        "a b",
        "sixteen-letters-",
        "ä2345678901234x",
      ],
      ...["br+", "+", 'a"b', "a'b", "a\\b", "a$b", "a;b", "a%d", "a!b", "eth0\n", "a\nb", "a\u0000b"],
    ],
  ],
  ["DNS names", checkDnsName, ["web", "a.b", "my_db", "X"], ["", "a b", "a,b", "a\nb", "-a", "a.", "a\tb", "ä"]],
  [
    "MAC addresses",
    checkMac,
    ["02:42:0a:00:00:01"],
    ["", "01:00:00:00:00:00", "02:42:0a:00:00", "02:42:0a:00:00:01\n"],
  ],
];
test.each(table)("%s", (_what, check, good, bad) => {
  for (const text of good) expect(() => check(text)).not.toThrow();
  for (const text of bad) expect(() => check(text)).toThrow();
});
