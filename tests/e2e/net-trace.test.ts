/** `net trace` reads each hop from the kernel and says which one fails; `network graph` draws who is where. */
import { execFileSync } from "node:child_process";
import { expect } from "@jest/globals";
import type { PortTrace } from "../../src/engine/network/trace-types.js";
import { eventually } from "../helpers/host.js";
import { dockerIo, scenario } from "../helpers/scenario.js";

dockerIo();

const COMPOSE = `services:
  web:
    image: alpine:3.20
    init: true
    stop_grace_period: 0s
    command: sh -c 'mkdir /w; httpd -p 127.0.0.1:81 -h /w; exec httpd -f -p 80 -h /w'
    ports: ["80", "81", "82", "53/udp"]
    networks: [front, back]
  beside: { image: "alpine:3.20", init: true, stop_grace_period: 0s, command: sleep 1000, network_mode: "service:web" }
  job: { image: "alpine:3.20", command: sh -c 'exit 3', ports: ["90"] }
networks: { front: {}, back: { internal: true } }
`;

for (const mode of ["user", "root"] as const) {
  scenario(
    `net-trace-${mode}`,
    "net trace names the hop that fails, network graph draws addresses and ports",
    async (s) => {
      const trace = async (code: number, ...args: string[]): Promise<readonly PortTrace[]> => {
        await s.exits(code, ["net", "trace", "--json", ...args]);
        return JSON.parse(s.last.stdout) as readonly PortTrace[];
      };
      const failed = (traces: readonly PortTrace[]) =>
        traces.flatMap(({ hops }) =>
          hops.filter(({ state }) => state === "failed").map(({ kind, detail }) => `${kind}: ${detail}`),
        );
      await s.run("up", "-d");
      await eventually(async () => (await s.run("net", "trace", "web", "80")).code === 0, 60_000);
      s.says("web-1: ", "-> 80/tcp", "httpd (pid ");

      // every hop is the kernel's: the same bridge, and for a user the forwarder, for root the rules
      const [way] = await trace(0, "web", "80");
      expect(way?.hops.map(({ kind }) => kind)).toEqual([
        ...(mode === "user" ? ["host", "forwarder"] : ["rule", "rule"]),
        "bridge",
        "link",
        "container",
      ]);
      const { NetworkSettings } = (await s.inspect(`${s.project}-web-1`)) as {
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
      };
      const address = Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
      expect(address).toContain(way?.hops.at(-1)?.name.replace(/:80\/tcp$/, ""));
      const detail = `a program listens on 127.0.0.1 alone`;
      expect(new Set(failed(await trace(1, "web", "81")))).toEqual(new Set([`container: ${detail}`]));
      expect(failed(await trace(1, "web", "82"))[0]).toContain(
        "nothing in the container listens on port 82/tcp; on 80, 81",
      );
      expect(failed(await trace(1, "web", "53/udp"))[0]).toContain("port 53/udp");
      expect(failed(await trace(0, "beside", "80"))).toEqual([]);
      expect(failed(await trace(1, "job", "90"))).toEqual(["container: exited with code 3: nothing is published"]);
      await s.exits(1, ["net", "trace", "web", "9"], "no port 9/tcp for container");
      await s.exits(1, ["net", "trace", "nobody", "80"], `service "nobody" is not running`);

      await s.ok("network", "graph");
      s.says("internal", `${s.project}-web-1`, "->80/tcp", `container ${s.project}-web-1\n  ${s.project}-beside-1`);
      await s.ok("network", "graph", "--format", "mermaid");
      s.says("flowchart LR", '->80/tcp"] --> c');
      await s.ok("network", "graph", "--format", "json");
      const drawn = JSON.parse(s.last.stdout) as { name: string; members: { addresses: string[] }[] }[];
      expect(drawn.flatMap(({ members }) => members.flatMap(({ addresses }) => addresses)).toSorted()).toEqual(
        address.toSorted(),
      );

      if (mode === "root") {
        const bridge = way?.hops.find(({ kind }) => kind === "bridge")?.name ?? "";
        execFileSync("ip", ["link", "set", bridge, "down"]);
        expect(failed(await trace(1, "web", "80"))[0]).toBe(`bridge: bridge ${bridge} is down`);
        const chain = way?.hops[0]?.name.replace("nat ", "") ?? "";
        execFileSync("ip", ["link", "set", bridge, "up"]);
        execFileSync("iptables", ["-t", "nat", "-F", chain]);
        expect(failed(await trace(1, "web", "80"))[0]).toContain(`rule: missing: -A ${chain}`);
        await s.ok("up", "-d");
        expect(failed(await trace(0, "web", "80"))).toEqual([]);
      }
    },
    { modes: [mode], files: { "compose.yaml": COMPOSE } },
  );
}
