/** The helper processes die: the next command notices, repairs and leaves nothing. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost } from "../helpers/host.js";
import { answering, check, killAll, modes, processesOf, rows, unfinished } from "./support.js";

const registry = busyboxRegistry();

const stack = (image: string): string => `
services:${answering(image, 'healthcheck: { test: ["CMD", "true"], interval: 1s }')}
  again: { image: "${image}", command: sleep 1000, init: true, restart: always, stop_grace_period: 0s }
`;

describe.each(modes)("a helper dies, %s", (mode) => {
  check(
    "conmon: the service goes on, every command says what is lost, its end is noticed, a restart mends it",
    onHost(mode, async (host) => {
      const folder = host.project("conmon", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      expect(await killAll(host, "conmon")).toBe(2);
      const listed = await host.run(folder, ["ps", "-q"]);
      expect(listed.stdout.trim().split("\n")).toHaveLength(2);
      expect(listed.stderr).toMatch(/conmon-web-1 runs on without its monitor \(conmon\): output is lost/);
      expect(await host.must(folder, "exec", "-T", "again", "wget", "-q", "-O-", "http://web/")).toBe("answer\n");
      // nobody is left who could write an exit code
      await host.run(folder, ["exec", "-T", "again", "kill", "-9", "-1"]);
      await host.must(folder, "restart", "-t", "0", "web");
      await eventually(async () => {
        const states = (await rows(host, folder)).map((row) => row.State);
        return states.length === 2 && states.every((state) => state === "running");
      });
      await eventually(() => processesOf(host, "conmon").length === 2);
      expect((await host.run(folder, ["ps", "-q"])).stderr).toBe("");
      await host.must(folder, "down", "-t", "0");
      expect((await host.leaks()).lines).toEqual([]);
      expect(unfinished(host)).toEqual([]);
    }),
    60_000,
  );

  (mode === "user" ? check : test.skip)(
    "conmon, then `down` at once",
    onHost(mode, async (host) => {
      const folder = host.project("conmondown", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      expect(await killAll(host, "conmon")).toBe(2);
      await host.must(folder, "down", "-t", "0");
      expect((await host.leaks()).lines).toEqual([]);
      expect(unfinished(host)).toEqual([]);
    }),
    60_000,
  );

  check(
    "the supervisor: containers live on, the next command brings it back, health and restarts go on",
    onHost(mode, async (host) => {
      const folder = host.project("supervisor", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d", "--wait");
      const before = (await rows(host, folder)).map((row) => row.ID).sort();
      expect(await killAll(host, "tsc-supd")).toBe(1);
      expect((await rows(host, folder)).map((row) => [row.ID, row.State])).toEqual(
        expect.arrayContaining(before.map((id) => [id, "running"])),
      );
      await host.must(folder, "up", "-d");
      await eventually(() => processesOf(host, "tsc-supd").length === 1);
      // under the new supervisor a death is followed by a restart again
      await host.run(folder, ["exec", "-T", "again", "kill", "-9", "-1"]);
      await eventually(
        async () => (await rows(host, folder)).find((row) => row.Service === "web")?.Health === "healthy",
      );
      await eventually(
        async () => (await rows(host, folder)).find((row) => row.Service === "again")?.State === "running",
      );
      await host.must(folder, "down", "-t", "0");
      await eventually(() => processesOf(host, "tsc-supd").length === 0);
      expect((await host.leaks()).lines).toEqual([]);
    }),
    60_000,
  );

  (mode === "user" ? check : test.skip)(
    "the name server: `up` starts it again and names resolve",
    onHost(mode, async (host) => {
      const folder = host.project("names", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d");
      expect(await host.must(folder, "exec", "-T", "again", "wget", "-q", "-O-", "http://web/")).toBe("answer\n");
      expect(await killAll(host, "aardvark-dns")).toBe(1);
      await host.must(folder, "up", "-d");
      expect(await host.must(folder, "exec", "-T", "again", "wget", "-q", "-O-", "http://web/")).toBe("answer\n");
      // a command killed while it starts the server leaves one that nobody recorded
      const unnamed = (): void => {
        for (const file of ["main.process", "main/aardvark.pid"]) rmSync(join(host.folder, "run/network/dns", file));
      };
      unnamed();
      await host.must(folder, "up", "-d", "--force-recreate", "again");
      expect(processesOf(host, "aardvark-dns")).toHaveLength(1);
      expect(await host.must(folder, "exec", "-T", "again", "wget", "-q", "-O-", "http://web/")).toBe("answer\n");
      unnamed();
      await host.must(folder, "down", "-t", "0");
      expect(processesOf(host, "aardvark-dns")).toEqual([]);
    }),
    60_000,
  );
});

check(
  "slirp4netns: `up` starts it again, published ports answer, containers are kept",
  onHost("user", async (host) => {
    const folder = host.project("uplink", { "compose.yaml": stack(registry.image) });
    await host.must(folder, "up", "-d");
    const fetchPort = async (): Promise<string> => {
      const address = (await host.must(folder, "port", "web", "80")).trim();
      return await (await fetch(`http://${address}/`)).text();
    };
    expect(await eventually(fetchPort)).toBe("answer\n");
    const before = (await rows(host, folder)).map((row) => row.ID).sort();
    expect(await killAll(host, "slirp4netns")).toBe(1);
    await host.must(folder, "up", "-d");
    expect(await eventually(fetchPort)).toBe("answer\n");
    expect((await rows(host, folder)).map((row) => row.ID).sort()).toEqual(before);
    await host.must(folder, "down", "-t", "0");
    expect(processesOf(host, "slirp4netns")).toEqual([]);
  }),
  60_000,
);

check(
  "the holder of the namespaces: containers live on, the next command finds them through conmon",
  onHost("user", async (host) => {
    const folder = host.project("holder", { "compose.yaml": stack(registry.image) });
    await host.must(folder, "up", "-d");
    const before = readFileSync(`${host.folder}/run/pause.pid`, "utf8");
    await host.endNamespaces();
    expect((await rows(host, folder)).map((row) => row.State)).toEqual(["running", "running"]);
    expect(readFileSync(`${host.folder}/run/pause.pid`, "utf8")).not.toBe(before);
    expect(await host.must(folder, "exec", "-T", "web", "cat", "/www/index.html")).toBe("answer\n");
    await host.must(folder, "down", "-t", "0");
    expect((await host.leaks()).lines).toEqual([]);
  }),
  60_000,
);
