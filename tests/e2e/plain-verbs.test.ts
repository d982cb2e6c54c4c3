/** docker's plain verbs under their nouns, and at the top where compose has no verb of that name. */
import { describe, expect, test } from "@jest/globals";
import { fileRegistry } from "../helpers/busybox-registry.js";
import { isRoot, type Mode, onHost, REPOSITORY } from "../helpers/host.js";

const check = isRoot ? test : test.skip;

const registry = fileRegistry({
  name: "base",
  config: { Cmd: ["sleep", "600"], Env: ["PATH=/bin:/usr/bin"], ExposedPorts: { "80/tcp": {}, "81/udp": {} } },
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

  check(
    "a service as docker's inspect shows it",
    onHost(mode, async (host) => {
      const cwd = host.project("shown", {
        "compose.yaml": `services:
  a:
    image: ${registry.address}/base:1
    init: true
    ipc: shareable
    pid: host
    environment: [OWN=1]
    volumes: ["anon:/named:ro", /anonymous, "./compose.yaml:/bind:ro", "./:/shared:rslave"]
    configs: [cfg]
    secrets: [sec]
    networks: {default: {ipv4_address: 10.99.0.100, aliases: [other]}}
  b: {image: "${registry.address}/base:1", ipc: "container:shown-a-1", depends_on: [a]}
networks: {default: {ipam: {config: [{subnet: 10.99.0.0/24}]}}}
volumes: {anon: {}}
configs: {cfg: {file: ./compose.yaml}}
secrets: {sec: {file: ./compose.yaml}}
`,
      });
      await host.must(cwd, "up", "-d");
      const object = async () => JSON.parse(await host.must(cwd, "container", "inspect", "shown-a-1"))[0];
      const running = await object();
      const network = JSON.parse(await host.must(cwd, "network", "inspect", "shown_default"))[0].Id;
      const file = `${cwd}/compose.yaml`;
      expect(running.HostConfig).toMatchObject({
        IpcMode: "shareable",
        PidMode: "host",
        CgroupnsMode: "private",
        Binds: ["shown_anon:/named:ro", `${file}:/bind:ro`, `${cwd}:/shared:rw,rslave`],
        Mounts: [
          { Type: "volume", Target: "/anonymous" },
          { Type: "bind", Source: file, Target: "/cfg", ReadOnly: true },
          { Type: "bind", Source: file, Target: "/run/secrets/sec", ReadOnly: true },
        ],
        Init: true,
      });
      const [joined] = JSON.parse(await host.must(cwd, "container", "inspect", "shown-b-1"));
      expect(joined.HostConfig.IpcMode).toBe(`container:${running.Id}`);
      const bind = { Type: "bind", Source: file, RW: false, Propagation: "rprivate" };
      expect(running.Mounts).toEqual([
        expect.objectContaining({
          Type: "volume",
          Name: "shown_anon",
          Driver: "local",
          Mode: "ro",
          RW: false,
          Propagation: "",
        }),
        expect.objectContaining({ Type: "volume", Destination: "/anonymous", Mode: "z", RW: true }),
        { ...bind, Destination: "/bind", Mode: "ro" },
        expect.objectContaining({ Source: cwd, Destination: "/shared", Mode: "rw,rslave", Propagation: "rslave" }),
        { ...bind, Destination: "/cfg", Mode: "" },
        { ...bind, Destination: "/run/secrets/sec", Mode: "" },
      ]);
      expect(running.Config).toMatchObject({
        Env: ["OWN=1", "PATH=/bin:/usr/bin"],
        Cmd: ["sleep", "600"],
        Volumes: { "/anonymous": {} },
      });
      const endpoint = { IPAMConfig: { IPv4Address: "10.99.0.100" }, NetworkID: network };
      expect(running.NetworkSettings.Networks["shown_default"]).toMatchObject({
        ...endpoint,
        IPAddress: "10.99.0.100",
        EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
        DNSNames: expect.arrayContaining(["shown-a-1", "other"]),
      });
      await host.must(cwd, "stop", "-t", "0");
      const stopped = await object();
      expect(stopped.NetworkSettings.Networks["shown_default"]).toMatchObject({
        ...endpoint,
        IPAddress: "",
        EndpointID: "",
      });
      expect(stopped.HostConfig).toEqual(running.HostConfig);
    }),
    60_000,
  );
});
