/** Loss of power: the store says "running", the machine knows nothing of it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { onHost } from "../helpers/host.js";
import { check, Machine, modes, unfinished } from "./support.js";

const registry = busyboxRegistry();

describe.each(modes)("reboot, %s", (mode) => {
  // a bound boot_id would forbid the user's runtime to mount its own /proc; there the same boot id makes the harder case
  const ids = mode === "root" ? ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"] : [];

  check(
    "containers are seen as ended, `up` brings them back with their data and addresses, `down` leaves nothing",
    onHost(mode, async (host) => {
      const folder = host.project("boot", {
        "compose.yaml": `
services:
  a: { image: "${registry.image}", command: sh -c "echo once >> /data/log; sleep 1000", init: true, volumes: ["data:/data"], ports: ["127.0.0.1:23111:80"], restart: always, stop_grace_period: 0s }
  b: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s }
volumes: { data: {} }
`,
      });
      await host.must(folder, "pull");
      await host.endNamespaces();
      await using machine = new Machine(host);
      await machine.boot(ids[0]);
      await machine.must(folder, "up", "-d");
      const before = (await machine.must(folder, "ps", "-q")).trim().split("\n").sort();
      expect(before).toHaveLength(2);
      await machine.cut();

      await machine.boot(ids[1]);
      const listed = await machine.must(folder, "ps", "-a", "--format", "{{.Service}} {{.State}}");
      expect(listed.trim().split("\n").sort()).toEqual(["a exited", "b exited"]);
      const up = await machine.run(folder, "up", "-d");
      expect(up).toMatchObject({ code: 0, stderr: expect.not.stringContaining("error") });
      const after = (await machine.must(folder, "ps", "-q")).trim().split("\n").sort();
      expect(after).toEqual(before);
      expect(await machine.must(folder, "exec", "-T", "a", "cat", "/data/log")).toBe("once\nonce\n");
      expect(await machine.must(folder, "exec", "-T", "a", "nslookup", "b")).toMatch(/Address.*10\./);
      await machine.must(folder, "down", "-v", "-t", "0");
      expect(await machine.must(folder, "ps", "-aq")).toBe("");
      expect(unfinished(host)).toEqual([]);
    }),
    60_000,
  );

  check(
    "`system boot` brings back what restart policies say, as docker's daemon does when it starts",
    onHost(mode, async (host) => {
      const run = (restart: string, more = "") =>
        `{ image: "${registry.image}", command: sleep 1000, init: true, restart: ${restart}, stop_grace_period: 0s${more} }`;
      const folder = host.project("back", {
        "compose.yaml": `
services:
  always: ${run("always", ", depends_on: [unless]")}
  unless: ${run("unless-stopped")}
  failed: ${run("on-failure")}
  none: ${run('"no"')}
  stopped: ${run("unless-stopped")}
  stopped-always: ${run("always")}
`,
      });
      await host.must(folder, "pull");
      await host.endNamespaces();
      await using machine = new Machine(host);
      await machine.boot(ids[0]);
      await machine.must(folder, "up", "-d");
      await machine.must(folder, "stop", "stopped", "stopped-always");
      // nothing of this boot is touched: a person's stop stands
      await machine.must("/", "system", "boot");
      const states = async () =>
        (await machine.must(folder, "ps", "-a", "--format", "{{.Service}} {{.State}}")).trim().split("\n").sort();
      const before = await states();
      expect(before.filter((line) => line.endsWith("running"))).toHaveLength(4);
      await machine.cut();

      if (mode === "user") {
        using state = new DatabaseSync(join(host.folder, "store/state.db"));
        state.exec("UPDATE containers SET boot_id = 'earlier'");
      }
      await machine.boot(ids[1]);
      for (const list of [["ps"], ["ls"]])
        expect((await machine.run(folder, ...list)).stderr).toContain("`tscompose system boot` brings them back");
      expect((await machine.must(folder, "--dry-run", "system", "boot")).match(/start container/g)).toHaveLength(4);
      const boot = await machine.run("/", "system", "boot");
      expect(boot).toMatchObject({ code: 0, stderr: expect.not.stringContaining("error") });
      const running = (await states()).filter((line) => line.endsWith("running")).map((line) => line.split(" ")[0]);
      expect(running).toEqual(["always", "failed", "stopped-always", "unless"]);
      expect((await machine.run("/", "ls")).stderr).toBe("");
      await machine.must(folder, "down", "-t", "0");
      expect(unfinished(host)).toEqual([]);
    }),
    300_000,
  );

  check(
    "power lost in the middle of `up`, three times in a row",
    onHost(mode, async (host) => {
      const folder = host.project("halfway", {
        "compose.yaml": `services:\n${["a", "b", "c"].map((name) => `  ${name}: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s }`).join("\n")}\n`,
      });
      await host.must(folder, "pull");
      await host.endNamespaces();
      await using machine = new Machine(host);
      for (const delay of [200, 350, 500]) {
        await machine.boot(mode === "root" ? `33333333-3333-4333-8333-000000000${delay}` : undefined);
        const up = machine.run(folder, "up", "-d");
        await new Promise((resolve) => setTimeout(resolve, delay));
        await machine.cut();
        await up;
      }
      await machine.boot(ids[1]);
      await machine.must(folder, "up", "-d");
      expect((await machine.must(folder, "ps", "-q")).trim().split("\n")).toHaveLength(3);
      await machine.must(folder, "down", "-t", "0");
      expect(unfinished(host)).toEqual([]);
    }),
    60_000,
  );
});
