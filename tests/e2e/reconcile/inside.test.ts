/** What a container finds: names of its neighbours, addresses of its networks, its secrets and configs. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { dockerIo, scenario } from "../../helpers/scenario.js";

dockerIo();

const both = { modes: ["user", "root"] as const };
const SLEEP = 'image: "alpine:3.20", init: true, command: sleep 1000, stop_grace_period: 0s';

scenario(
  "names-inside",
  "host names, aliases and NAME.NETWORK resolve",
  async (s) => {
    await s.ok("up", "-d");
    const [address] = (await s.ok("exec", "-T", "a", "hostname", "-i")).stdout.trim().split(" ");
    for (const name of ["a", "ahost", "other", `${s.project}-a-1`, `a.${s.project}_n`, `ahost.${s.project}_n`]) {
      expect((await s.ok("exec", "-T", "b", "nslookup", name)).stdout).toContain(`${address}`);
    }
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:\n  a: {${SLEEP}, hostname: ahost, networks: {n: {aliases: [other]}}}\n  b: {${SLEEP}, networks: [n]}\nnetworks: {n: {}}\n`,
    },
  },
);

scenario(
  "families-inside",
  "a family of addresses that is switched off is off, whatever subnets are given",
  async (s) => {
    await s.ok("up", "-d");
    const addresses = async (service: string) =>
      (await s.ok("exec", "-T", service, "ip", "-o", "addr", "show", "dev", "eth0", "scope", "global")).stdout;
    const off = await addresses("off6");
    expect(off).toContain("172.29.239.");
    expect(off).not.toContain("inet6");
    const only = await addresses("off4");
    expect(only).toContain("fd00:3984:3991:");
    expect(only).not.toContain("inet ");
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:\n  off6: {${SLEEP}, networks: [x]}\n  off4: {${SLEEP}, networks: [y]}
networks:
  x: {enable_ipv6: false, ipam: {config: [{subnet: 172.29.239.0/24}, {subnet: "fd00:3984:3990::/64"}]}}
  y: {enable_ipv4: false, enable_ipv6: true, ipam: {config: [{subnet: 172.29.240.0/24}, {subnet: "fd00:3984:3991::/64"}]}}
`,
    },
  },
);

scenario(
  "files-inside",
  "secrets and configs are the user's own, and those from files are seen as they change",
  async (s) => {
    s.env["CANARY"] = "from-env";
    await s.ok("up", "-d");
    const cat = async (path: string) => (await s.ok("exec", "-T", "a", "cat", path)).stdout;
    expect(await cat("/run/secrets/env")).toBe("from-env");
    expect(await cat("/inline")).toBe("text");
    const modes = (await s.ok("exec", "-T", "a", "stat", "-c", "%u:%g %a", "/run/secrets/env", "/inline", "/owned"))
      .stdout;
    expect(modes.trim().split("\n")).toEqual(["1000:1000 400", "1000:1000 444", "7:8 440"]);
    expect(await cat("/file")).toBe("one\n");
    writeFileSync(join(s.folder, "f.txt"), "two\n");
    expect(await cat("/file")).toBe("two\n");
  },
  {
    ...both,
    files: {
      "f.txt": "one\n",
      "compose.yaml": `services:
  a:
    ${SLEEP.replaceAll(", ", "\n    ")}
    user: "1000:1000"
    secrets: [{source: env, mode: 0400}]
    configs: [{source: inline, target: /inline}, {source: file, target: /file}, {source: file, target: /owned, uid: "7", gid: "8", mode: 0440}]
secrets: {env: {environment: CANARY}}
configs: {inline: {content: text}, file: {file: ./f.txt}}
`,
    },
  },
);

scenario(
  "engine-socket",
  "the socket of an engine that is not there is said to be missing, and no folder is made in its place",
  async (s) => {
    const socket = join(s.folder, "sub/docker.sock");
    await s.exits(1, ["up", "-d"], `bind source ${socket}: no such engine runs on this machine`, "hint:");
    expect(existsSync(socket)).toBe(false);
  },
  {
    ...both,
    files: { "compose.yaml": `services: {a: {${SLEEP}, volumes: ["./sub/docker.sock:/var/run/docker.sock"]}}\n` },
  },
);
