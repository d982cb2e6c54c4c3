/** Somebody changes the machine under running containers: `up` brings it back with the same containers, `down` never minds. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost } from "../helpers/host.js";
import { answering, check, modes, rows, unfinished } from "./support.js";

const registry = busyboxRegistry();

const stack = (image: string): string => `
services:${answering(image, 'volumes: ["data:/data"]')}
  again: { image: "${image}", command: sleep 1000, init: true, stop_grace_period: 0s }
volumes: { data: {} }
`;

/** argv that enters the mounts of the host's user, where namespaces are pinned. */
const inMounts = (host: TestHost): string[] =>
  host.mode === "root"
    ? []
    : ["nsenter", "-t", readFileSync(join(host.folder, "run/pause.pid"), "utf8").split(" ")[0] ?? "", "-m"];

/** Runs a script where the host's bridges are. */
function atBridges(host: TestHost, script: string): void {
  const enter =
    host.mode === "root" ? [] : [...inMounts(host), "nsenter", `--net=${host.folder}/run/network/rootless-netns`];
  const [program = "sh", ...args] = [...enter, "sh", "-ec", script];
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
const bridgesOf = "$(ip -o link show type bridge | sed -n 's/^[0-9]*: \\(tsc-[^:@]*\\).*/\\1/p')";
const pins = (host: TestHost): string[] =>
  readdirSync(join(host.folder, "run/netns"))
    .filter((name) => name.length === 64)
    .map((name) => name.slice(0, 12));

/** What somebody does, and a word of the warning when containers have to join again. */
const damages: readonly [string, (host: TestHost) => void, RegExp][] = [
  ["flushed rules", (host) => atBridges(host, "iptables -F; iptables -t nat -F"), /^$/],
  ["a bridge deleted", (host) => atBridges(host, `for b in ${bridgesOf}; do ip link delete $b; done`), /is gone/],
  ["a bridge taken down", (host) => atBridges(host, `for b in ${bridgesOf}; do ip link set $b down; done`), /is down/],
  [
    "a bridge without address",
    (host) => atBridges(host, `for b in ${bridgesOf}; do ip addr flush dev $b; done`),
    /lost its/,
  ],
  [
    "a link deleted",
    // only of our own bridges: the machine may have others
    (host) =>
      atBridges(
        host,
        `link=$(ip -o link show type veth | sed -n 's/^[0-9]*: \\([^:@]*\\).* master tsc-.*/\\1/p' | head -1); test -n "$link"; ip link delete "$link"`,
      ),
    /is gone/,
  ],
  [
    "pins removed",
    (host) => {
      const [program = "sh", ...args] = [
        ...inMounts(host),
        "sh",
        "-c",
        `cd ${host.folder}/run/netns && umount * && rm *`,
      ];
      execFileSync(program, args);
    },
    /^$/,
  ],
];

describe.each(modes)("the machine changes, %s", (mode) => {
  check(
    "up mends it and keeps the containers",
    onHost(mode, async (host) => {
      const folder = host.project("changed", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      const before = (await rows(host, folder)).map((row) => row.ID).sort();
      const address = (await host.must(folder, "port", "web", "80")).trim();
      for (const [name, damage, says] of damages) {
        damage(host);
        const up = await host.run(folder, ["up", "-d"]);
        const warnings = up.stderr.split("\n").filter((line) => line.startsWith("warning"));
        expect({ name, code: up.code, warnings: warnings.length > 0 || says.source === "^$" }).toEqual({
          name,
          code: 0,
          warnings: true,
        });
        for (const warning of warnings) expect(warning).toMatch(says);
        expect({ name, ids: (await rows(host, folder)).map((row) => row.ID).sort() }).toEqual({ name, ids: before });
        // the server may have just begun
        const asked = ["exec", "-T", "again", "wget", "-q", "-O-", "http://web/"];
        const answer = await eventually(async () => (await host.run(folder, asked)).stdout || undefined, 5_000).catch(
          () => "",
        );
        expect({ name, answer }).toEqual({ name, answer: "answer\n" });
        const fetched = await eventually(
          async () => await (await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2_000) })).text(),
        );
        expect({ name, fetched }).toEqual({ name, fetched: "answer\n" });
        expect({ name, pins: pins(host) }).toEqual({ name, pins: before });
      }
      await host.must(folder, "down", "-v", "-t", "0");
      expect((await host.leaks()).lines).toEqual([]);
      expect(unfinished(host)).toEqual([]);
    }),
    120_000,
  );

  check(
    "down never fails because something is gone already",
    onHost(mode, async (host) => {
      const folder = host.project("gone", { "compose.yaml": stack(registry.image) });
      const more: typeof damages = [
        [
          "the volume's folder",
          ({ folder: at }) => rmSync(join(at, "store/volumes/gone_data"), { recursive: true }),
          /^$/,
        ],
        [
          "everything",
          (machine) => {
            for (const [, damage] of damages.filter(([name]) => /deleted|rules|pins/.test(name))) {
              try {
                damage(machine);
              } catch {
                // an earlier one has taken it along
              }
            }
          },
          /^$/,
        ],
      ];
      for (const [name, damage] of [...damages.filter(([what]) => /deleted/.test(what)), ...more]) {
        await host.must(folder, "up", "-d");
        damage(host);
        const down = await host.run(folder, ["down", "-v", "-t", "0"]);
        expect({ name, code: down.code, error: /error\[/.test(down.stderr) }).toEqual({ name, code: 0, error: false });
        expect({ name, leaks: (await host.leaks()).lines, unfinished: unfinished(host) }).toEqual({
          name,
          leaks: [],
          unfinished: [],
        });
      }
    }),
    120_000,
  );
});

check(
  "a volume's folder that was deleted is made anew at the next start, with a warning",
  onHost("root", async (host) => {
    const folder = host.project("folder", { "compose.yaml": stack(registry.image) });
    await host.must(folder, "up", "-d");
    rmSync(join(host.folder, "store/volumes/folder_data"), { recursive: true });
    const restarted = await host.run(folder, ["restart", "-t", "0", "web"]);
    expect(restarted.code).toBe(0);
    expect(restarted.stderr).toMatch(/warning: volume folder_data: its folder .* was gone and is made anew, empty/);
    expect(await host.must(folder, "exec", "-T", "web", "ls", "/data")).toBe("");
    await host.must(folder, "down", "-v", "-t", "0");
  }),
  60_000,
);
