/** A three-tier stack of real servers from a loopback registry: nginx → app → redis and postgresql, as root and as an ordinary user. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, eventually, isRoot, type Mode, onHost } from "../helpers/host.js";
import { freePort, pushImage, type Registry, startRegistry } from "../helpers/registry.js";

let registry: Registry;

beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  const push = (
    name: "redis" | "nginx" | "postgres" | "app",
    config: Record<string, unknown>,
    mediaTypes: "docker" | "oci",
  ) =>
    pushImage(registry.address, `stack/${name}`, "1", {
      layers: [debianRootfs("busybox", CACHE), debianRootfs(name, CACHE)],
      config,
      mediaTypes,
    });
  await push(
    "redis",
    {
      Cmd: ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/data", "--appendonly", "yes"],
      Volumes: { "/data": {} },
    },
    "docker",
  );
  await push("nginx", { Cmd: ["nginx"], ExposedPorts: { "80/tcp": {} } }, "oci");
  await push(
    "postgres",
    { Entrypoint: ["/usr/local/bin/entrypoint"], Cmd: null, Volumes: { "/var/lib/postgresql/data": {} } },
    "oci",
  );
  await push("app", { Cmd: ["/usr/local/bin/entrypoint"] }, "docker");
}, 180_000);

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

const compose = (port: number) => `
services:
  web:
    image: ${registry.address}/stack/nginx:1
    ports: ["127.0.0.1:${port}:80"]
    depends_on: [app]
  app:
    image: ${registry.address}/stack/app:1
    depends_on:
      db: { condition: service_healthy }
      cache: { condition: service_started }
  db:
    image: ${registry.address}/stack/postgres:1
    volumes: [db:/var/lib/postgresql/data]
    healthcheck:
      test: ["CMD", "/usr/lib/postgresql/15/bin/psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "select 1"]
      interval: 500ms
      retries: 60
  cache:
    image: ${registry.address}/stack/redis:1
    volumes: [cache:/data]
volumes: { db: {}, cache: {} }
`;

const modes: Mode[] = ["root", "user"];
describe.each(modes)("stack of real servers, %s", (mode) => {
  const skipUnless = isRoot ? test : test.skip;

  skipUnless(
    "serves, keeps its data over down and up, and leaves nothing",
    onHost(mode, async (host) => {
      const port = await freePort();
      const project = host.project("stack", { "compose.yaml": compose(port) });
      await host.must(project, "up", "-d");

      const get = async (path: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`);
        if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
        return answer.text();
      };
      expect(await eventually(() => get("/cgi-bin/notes?add=first"), 30_000)).toContain("visits 1\nfirst\n");
      expect(await get("/cgi-bin/notes")).toContain("visits 2\nfirst\n");

      const rows = (await host.must(project, "ps", "--format", "json"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { Service: string; State: string });
      expect(rows.map((row) => `${row.Service} ${row.State}`).sort()).toEqual([
        "app running",
        "cache running",
        "db running",
        "web running",
      ]);
      expect(await host.must(project, "exec", "-T", "web", "nslookup", "app")).toMatch(/Address.*\d+\.\d+\.\d+\.\d+/);
      expect(await host.must(project, "logs", "app")).toContain("app starting on");

      const again = await host.run(project, ["up", "-d"]);
      expect(again.code).toBe(0);
      expect(again.stderr).toMatch(/Container stack-web-1 +Running/);

      await host.must(project, "down", "-t", "5");
      await host.must(project, "up", "-d");
      expect(await eventually(() => get("/cgi-bin/notes"), 30_000)).toContain("visits 3\nfirst\n");
      await host.must(project, "down", "-v", "-t", "5");
      expect((await host.must(project, "volume", "ls", "-q")).trim()).toBe("");
      expect((await host.leaks()).lines).toEqual([]);
    }),
    180_000,
  );
});
