/**
 * What `system df` promises is what the prunes free, to the byte, as the kernel counts it; cache mounts and dangling images are among it; and
 * `system reset` leaves nothing, also of files whose owners an ordinary user cannot touch.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { sleepingRegistry } from "../helpers/busybox-registry.js";
import { isRoot, type Mode, onHost, type TestHost } from "../helpers/host.js";

const check = isRoot ? test : test.skip;
const DATABASE = /^state\.db/;

const registry = sleepingRegistry();

const compose = () => `
name: disk
services:
  web:
    image: ${registry.address}/base:1
    stop_grace_period: 0s
    command: ["sh", "-c", "dd if=/dev/zero of=/big bs=1k count=300 2>/dev/null; chown 33:33 /big; exec sleep 600"]
    volumes: ["data:/data", "/anonymous"]
  built:
    image: disk-built
    build:
      context: .
      dockerfile_inline: |
        FROM ${registry.address}/base:1
        ARG N
        RUN --mount=type=cache,target=/cache dd if=/dev/zero of=/cache/c bs=1k count=200; dd if=/dev/zero of=/layer$N bs=1k count=100; chown 33:33 /layer$N
    command: ["true"]
volumes: { data: {} }
`;

/** Allocated bytes of everything but the database. */
function allocated(host: TestHost): number {
  const store = join(host.folder, "store");
  const folders = readdirSync(store).filter((name) => !DATABASE.test(name) && name !== "build");
  const paths = [...folders, ...(existsSync(join(store, "build/cache")) ? ["build/cache"] : [])];
  return paths
    .map((name) =>
      Number(execFileSync("du", ["-x", "-B1", "-s", join(store, name)], { encoding: "utf8" }).split("\t")[0]),
    )
    .reduce((sum, bytes) => sum + bytes, 0);
}

interface DfRow {
  readonly Type: string;
  readonly RawSize: number;
  readonly RawReclaimable: number;
}

async function df(host: TestHost, folder: string): Promise<ReadonlyMap<string, DfRow>> {
  const rows = (await host.must(folder, "system", "df", "--format", "json")).trim().split("\n");
  return new Map(rows.map((row) => JSON.parse(row) as DfRow).map((row) => [row.Type, row]));
}

describe.each(["root", "user"] as Mode[])("%s", (mode) => {
  check(
    "each row's promise is what its prune frees",
    onHost(mode, async (host) => {
      const folder = host.project("disk", { "compose.yaml": compose() });
      await host.must(folder, "build", "--build-arg", "N=1", "built");
      // the first image loses its name
      await host.must(folder, "build", "--build-arg", "N=2", "built");
      await host.must(folder, "up", "-d", "web");
      const dangling = await host.must(folder, "image", "ls", "--filter", "dangling=true", "-q");
      expect(dangling.trim().split("\n")).toHaveLength(1);

      const running = await df(host, folder);
      expect(running.get("Containers")).toMatchObject({ RawReclaimable: 0 });
      expect(running.get("Build Cache")?.RawReclaimable ?? 0).toBeGreaterThanOrEqual(200 * 1024);
      await host.must(folder, "stop", "web");

      for (const [type, words] of [
        ["Build Cache", ["builder", "prune", "-a", "-f"]],
        ["Containers", ["container", "prune", "-f"]],
        ["Images", ["image", "prune", "-a", "-f"]],
        ["Local Volumes", ["volume", "prune", "-a", "-f"]],
      ] as const) {
        const promised = (await df(host, folder)).get(type)?.RawReclaimable ?? 0;
        const shown = /Total reclaimed space: (.*)/.exec(
          await host.must(folder, "--dry-run", ...words.filter((word) => word !== "-f")),
        )?.[1];
        const before = allocated(host);
        const output = await host.must(folder, ...words);
        const freed = before - allocated(host);
        expect({ type, freed }).toEqual({ type, freed: promised });
        expect({ type, told: /Total reclaimed space: (.*)/.exec(output)?.[1] }).toEqual({ type, told: shown });
        expect((await df(host, folder)).get(type)?.RawReclaimable).toBe(0);
      }
      const rows = [...(await df(host, folder)).values()];
      expect(rows.map(({ RawSize }) => RawSize)).toEqual([0, 0, 0, 0]);
    }),
    240_000,
  );

  check(
    "system prune keeps what runs and named volumes, asks first, and says no without an answer",
    onHost(mode, async (host) => {
      const folder = host.project("disk", { "compose.yaml": compose() });
      await host.must(folder, "up", "-d", "web");
      const refused = await host.run(folder, ["system", "prune"]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain("WARNING! This will remove:");
      expect(refused.stderr).toContain("system prune has been cancelled");
      await host.must(folder, "system", "prune", "-a", "-f", "--volumes");
      expect(await host.must(folder, "ps", "-q")).not.toBe("");
      expect(await host.must(folder, "system", "df", "-v")).toContain("disk-web-1");
      await host.must(folder, "stop");
      const done = await host.run(folder, ["system", "prune", "-a", "--volumes"], { input: "y\n" });
      expect(done.code).toBe(0);
      expect(done.stdout).toContain("Deleted Containers:");
      expect(done.stdout).toContain("Deleted Networks:\ndisk_default");
      expect(done.stdout).toMatch(/untagged: .*base:1\n/);
      expect(await host.must(folder, "volume", "ls", "-q")).toBe("disk_data\n");
    }),
    240_000,
  );

  check(
    "system reset removes everything, and the next command starts anew",
    onHost(mode, async (host) => {
      const folder = host.project("disk", { "compose.yaml": compose() });
      await host.must(folder, "up", "-d");
      expect((await host.run(folder, ["system", "reset"])).code).not.toBe(0);
      expect(await host.must(folder, "ps", "-q")).not.toBe("");
      const output = await host.must(folder, "system", "reset", "-f");
      expect(output).toContain(join(host.folder, "store"));
      expect(existsSync(join(host.folder, "store"))).toBe(false);
      expect(readdirSync(join(host.folder, "run"))).toEqual([]);
      expect((await host.leaks()).lines).toEqual([]);
      await host.must(folder, "up", "-d", "web");
      await host.must(folder, "down", "-v");
    }),
    240_000,
  );
});
