/** docker's plain verbs under their nouns, and at the top where compose has no verb of that name. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, REPOSITORY } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";

const check = isRoot ? test : test.skip;

let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "base", "1", {
    layers: [debianRootfs("busybox", CACHE)],
    config: { Cmd: ["sleep", "600"], Env: ["PATH=/bin:/usr/bin"], ExposedPorts: { "80/tcp": {}, "81/udp": {} } },
  });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

describe.each(["root", "user"] as Mode[])("%s", (mode) => {
  check(
    "a container's life without compose",
    onHost(mode, async (host) => {
      const cwd = host.project("plain", { "in.txt": "hello\n" });
      const image = `${registry.address}/base:1`;
      const must = (...args: string[]) => host.must(cwd, ...args);
      try {
        const echoed = await host.run(
          cwd,
          ["container", "run", "--rm", "-i", "-e", "A=$B", image, "sh", "-c", "cat; echo $A; exit 7"],
          {
            input: "in\n",
          },
        );
        expect(echoed).toMatchObject({ code: 7, stdout: "in\n$B\n" });
        expect(await must("container", "ls", "-aq")).toBe("");

        const id = (
          await must(
            "container",
            "run",
            "-d",
            "--name",
            "one",
            "-v",
            "data:/data",
            "-p",
            "127.0.0.1::80",
            "-P",
            "--expose",
            "82",
            "-l",
            "a=b",
            image,
          )
        ).trim();
        expect(JSON.parse(await must("inspect", "-f", "{{json .Config.Labels}}", "one"))).toEqual({ a: "b" });
        expect(await must("container", "port", "one", "80")).toMatch(/^127\.0\.0\.1:\d+\n$/);
        // -P publishes what else is exposed, at ports that are free
        for (const port of ["81/udp", "82"])
          expect(await must("container", "port", "one", port)).toMatch(/^0\.0\.0\.0:\d+\n/);
        expect(await must("info", "-f", "{{.OperatingSystem}} {{json .DriverStatus}}")).toMatch(/^\S.*\[\[/);
        const piped = await host.run(cwd, ["container", "exec", "-it", "one", "true"]);
        expect(piped).toMatchObject({ code: 1, stderr: expect.stringContaining("stdin is not a terminal") });
        expect(await must("container", "top", "one")).toContain("sleep 600");
        expect(await must("container", "stats", "--no-stream", "--format", "{{.Name}}")).toBe("one\n");
        const paused = await host.run(cwd, ["container", "pause", "one"]);
        // a user without a delegated cgroup cannot pause
        if (mode === "root" || paused.code === 0) {
          expect(paused).toMatchObject({ code: 0, stdout: "one\n" });
          expect(await must("inspect", "-f", "{{.State.Status}}", "one")).toBe("paused\n");
          await must("container", "unpause", "one");
        } else expect(paused.stderr).toContain("TSC_PAUSE_UNSUPPORTED");
        await must("container", "cp", "in.txt", "one:/data/in.txt");
        expect(await must("container", "exec", "one", "cat", "/data/in.txt")).toBe("hello\n");
        await must("container", "restart", "-t", "0", "one");
        await must("rename", "one", "two");
        await must("update", "--restart", "on-failure:3", "two");
        await must("network", "create", "plain-net");
        await must("network", "connect", "--alias", "other", "plain-net", "two");
        expect(await must("inspect", "-f", "{{json .NetworkSettings.Networks}}", "two")).toContain("plain-net");
        await must("network", "disconnect", "plain-net", "two");
        expect((await host.run(cwd, ["network", "disconnect", "plain-net", "two"])).code).toBe(1);
        expect(await must("network", "prune", "-f")).toBe("Deleted Networks:\nplain-net\n\n");
        await must("container", "kill", "two");
        expect(await must("container", "wait", "two")).toBe("137\n");
        expect(await must("container", "prune", "-f")).toContain(`Deleted Containers:\n${id}\n`);
        expect(await must("system", "events", "--since", "0", "--until", new Date().toISOString())).toContain(
          `container create ${id}`,
        );

        const made = (await must("container", "create", "--name", "three", image, "true")).trim();
        expect(await must("inspect", "-f", "{{.State.Status}}", made)).toBe("created\n");
        await must("container", "rm", "three");

        await must("tag", image, "mine:2");
        expect(await must("history", "-q", "mine:2")).not.toBe("");
        expect(await must("inspect", "--type", "image", "-f", "{{json .RepoTags}}", "mine:2")).toContain("mine:2");
        expect(await must("rmi", "mine:2")).toContain("Untagged: ");
        const nothing = await host.run(cwd, ["inspect", "nothing"]);
        expect(nothing.code).toBe(1);
        expect(nothing.stderr).toContain("no such object: nothing");
      } finally {
        for (const name of ["one", "two", "three"]) await host.run(cwd, ["container", "rm", "-f", name]);
        await host.run(cwd, ["network", "rm", "-f", "plain-net", "bridge"]);
        await host.run(cwd, ["volume", "rm", "-f", "data"]);
      }
    }),
    240_000,
  );

  check(
    "docker's field names of info and version; the shim's version and docker's global flags",
    onHost(mode, async (host) => {
      const cwd = host.project("plain", { "compose.yaml": "services: { a: { image: x } }\n" });
      const info = (await host.must(cwd, "info", "-f", "{{.OSType}} {{.Containers}} {{.Swarm.LocalNodeState}}")).trim();
      expect(info).toBe("linux 0 inactive");
      expect(await host.must(cwd, "version", "-f", "{{.Server.Os}}")).toBe("linux\n");
      const shim = `${REPOSITORY}/bin/docker-compose`;
      const short = await host.exec(cwd, [shim, "version", "--short"]);
      expect(short.stdout).toMatch(/^2\.\d+\.\d+\n$/);
      const flags = ["-H", "unix:///x", "--context", "c", "--log-level", "warn", "--tls", "--tlscacert", "/x"];
      const done = await host.exec(cwd, [shim, ...flags, "config", "--services"]);
      expect(done).toMatchObject({ code: 0, stdout: "a\n" });
      for (const flag of ["--host", "--context", "--tls", "--tlscacert"]) {
        expect(done.stderr).toContain(`${flag} has no effect`);
      }
      expect(done.stderr).not.toContain("--log-level");
    }),
    120_000,
  );
});
