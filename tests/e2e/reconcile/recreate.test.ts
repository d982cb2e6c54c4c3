/** What up recreates and what it leaves alone, seen by container ids and by what is inside. */
import { expect } from "@jest/globals";
import { dockerIo, type Scenario, scenario } from "../../helpers/scenario.js";

dockerIo();

const SLEEP = "image: alpine:3.20\n    init: true\n    command: sleep 1000\n";
const both = { modes: ["user", "root"] as const };

/** Runs the commands and tells for each service whether its container was replaced. */
async function replaced(s: Scenario, services: readonly string[], ...args: string[]): Promise<Record<string, boolean>> {
  const before = new Map<string, string>();
  for (const service of services) before.set(service, (await s.ids(service)).join());
  await s.ok(...args);
  const result: Record<string, boolean> = {};
  for (const service of services) result[service] = (await s.ids(service)).join() !== before.get(service);
  return result;
}

scenario(
  "depends-restart",
  "restart: true restarts direct dependents of a recreated or restarted service, nobody else",
  async (s) => {
    await s.ok("up", "-d");
    const started = async (service: string) =>
      String(
        (await s.inspect(`${s.project}-${service}-1`))["State"] &&
          JSON.stringify((await s.inspect(`${s.project}-${service}-1`))["State"]),
      );
    const before = { direct: await started("direct"), loose: await started("loose"), far: await started("far") };
    await s.ok("restart", "-t", "0", "base");
    expect(await started("direct")).not.toBe(before.direct);
    expect(await started("loose")).toBe(before.loose);
    expect(await started("far")).toBe(before.far);
    const middle = await started("direct");
    s.env["V"] = "changed";
    expect(await replaced(s, ["base", "direct", "loose", "far"], "up", "-d", "-t", "0")).toEqual({
      base: true,
      direct: false,
      loose: false,
      far: false,
    });
    expect(await started("direct")).not.toBe(middle);
    expect(await started("loose")).toBe(before.loose);
  },
  {
    ...both,
    files: {
      "compose.yaml": `services:
  base:
    ${SLEEP}    environment: {V: "\${V:-}"}
  direct:
    ${SLEEP}    depends_on: {base: {condition: service_started, restart: true}}
  loose:
    ${SLEEP}    depends_on: [base]
  far:
    ${SLEEP}    depends_on: {direct: {condition: service_started}}
`,
    },
  },
);

scenario(
  "recreate-flags",
  "a changed service is recreated, its dependents only when told; --no-recreate and --force-recreate win",
  async (s) => {
    const file = (value: string) =>
      s.write(
        "compose.yaml",
        `services:\n  db:\n    ${SLEEP}    environment: {V: "${value}"}\n  web:\n    ${SLEEP}    depends_on: [db]\n`,
      );
    const all = ["db", "web"];
    file("1");
    await s.ok("up", "-d");
    expect(await replaced(s, all, "up", "-d", "-t", "0")).toEqual({ db: false, web: false });
    file("2");
    expect(await replaced(s, all, "up", "-d", "-t", "0", "--no-recreate")).toEqual({ db: false, web: false });
    expect(await replaced(s, all, "up", "-d", "-t", "0")).toEqual({ db: true, web: false });
    expect((await s.inside("db", "printenv", "V")).trim()).toBe("2");
    file("3");
    expect(await replaced(s, all, "up", "-d", "-t", "0", "--always-recreate-deps", "web")).toEqual({
      db: true,
      web: false,
    });
    expect(await replaced(s, all, "up", "-d", "-t", "0", "--force-recreate")).toEqual({ db: true, web: true });
    expect(await replaced(s, all, "up", "-d", "-t", "0", "--force-recreate", "web")).toEqual({ db: false, web: true });
    await s.exits(1, ["up", "-d", "--force-recreate", "--no-recreate"], "incompatible");
  },
  { ...both, files: {} },
);

scenario(
  "anonymous-volumes",
  "anonymous volumes live on over a recreation until --renew-anon-volumes, and go with down -v",
  async (s) => {
    await s.ok("up", "-d");
    await s.inside("app", "sh", "-c", "echo kept > /data/f");
    await s.ok("up", "-d", "-t", "0", "--force-recreate");
    expect(await s.inside("app", "cat", "/data/f")).toBe("kept\n");
    await s.ok("up", "-d", "-t", "0", "--renew-anon-volumes");
    await s.exits(1, ["exec", "-T", "app", "cat", "/data/f"], "No such file");
    await s.ok("volume", "ls", "-q");
    const during = s.last.stdout.trim().split("\n").filter(Boolean).length;
    await s.ok("down", "-t", "0", "-v");
    await s.ok("volume", "ls", "-q");
    expect(s.last.stdout.trim().split("\n").filter(Boolean).length).toBeLessThan(during);
  },
  { ...both, files: { "compose.yaml": `services:\n  app:\n    ${SLEEP}    volumes: [/data]\n` } },
);

scenario(
  "shared-namespaces",
  "who shares a namespace with a recreated service is recreated with it",
  async (s) => {
    const file = (value: string) =>
      s.write(
        "compose.yaml",
        `services:
  base:
    ${SLEEP}    ipc: shareable
    environment: {V: "${value}"}
    volumes: [/shared]
  net:
    ${SLEEP}    network_mode: service:base
  pid:
    ${SLEEP}    pid: service:base
  ipc:
    ${SLEEP}    ipc: service:base
  vols:
    ${SLEEP}    volumes_from: [base]
  alone:
    ${SLEEP}`,
      );
    const sharing = ["base", "net", "pid", "ipc"];
    file("1");
    await s.ok("up", "-d");
    for (const [service, kind] of [
      ["net", "net"],
      ["pid", "pid"],
      ["ipc", "ipc"],
    ] as const) {
      const link = ["readlink", `/proc/self/ns/${kind}`];
      expect(await s.inside(service, ...link)).toBe(await s.inside("base", ...link));
      expect(await s.inside("alone", ...link)).not.toBe(await s.inside("base", ...link));
    }
    file("2");
    expect(await replaced(s, [...sharing, "alone"], "up", "-d", "-t", "0")).toEqual({
      base: true,
      net: true,
      pid: true,
      ipc: true,
      alone: false,
    });
    for (const [service, kind] of [
      ["net", "net"],
      ["pid", "pid"],
      ["ipc", "ipc"],
    ] as const) {
      const link = ["readlink", `/proc/self/ns/${kind}`];
      expect(await s.inside(service, ...link)).toBe(await s.inside("base", ...link));
    }
    await s.inside("base", "touch", "/shared/x");
    expect(await s.inside("vols", "ls", "/shared")).toBe("x\n");
  },
  { ...both, files: {} },
);

scenario(
  "network-change",
  "a changed network is made anew and its containers move over, a changed volume only when agreed to",
  async (s) => {
    const file = (subnet: string, label: string) =>
      s.write(
        "compose.yaml",
        `services:
  app:
    ${SLEEP}    networks: [n]
    volumes: ["vol:/v"]
networks: {n: {ipam: {config: [{subnet: ${subnet}}]}}}
volumes: {vol: {labels: {l: "${label}"}}}
`,
      );
    file("10.231.1.0/24", "1");
    await s.ok("up", "-d");
    await s.inside("app", "sh", "-c", "echo data > /v/f");
    file("10.231.2.0/24", "1");
    expect(await replaced(s, ["app"], "up", "-d", "-t", "0")).toEqual({ app: false });
    expect(await s.inside("app", "ip", "-4", "addr", "show", "eth0")).toContain("10.231.2.");
    expect(await s.inside("app", "cat", "/v/f")).toBe("data\n");
    file("10.231.2.0/24", "2");
    await s.run("up", "-d", "-t", "0");
    expect(await s.inside("app", "cat", "/v/f")).toBe("data\n");
    await s.ok("up", "-d", "-t", "0", "-y");
    await s.exits(1, ["exec", "-T", "app", "cat", "/v/f"]);
  },
  { ...both, files: {} },
);
