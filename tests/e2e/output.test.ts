/** What the commands print about one running project: docker compose's fields, types, tables and words. The samples were taken from it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, eventually, isRoot, type Mode, TestHost } from "../helpers/host.js";
import { freePort, pushImage, type Registry, startRegistry } from "../helpers/registry.js";

const suite = isRoot ? describe.each(["root", "user"] as Mode[]) : describe.skip.each(["root"] as Mode[]);
let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "bb", "1", {
    layers: [debianRootfs("busybox", CACHE)],
    config: { Cmd: ["sh"], Labels: { img: "yes" } },
  });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

const compose = (image: string, port: number) => `
name: demo
services:
  web:
    image: ${image}
    command: ["sh", "-c", "echo hello; echo oops >&2; exec sleep 1000"]
    stop_signal: SIGKILL
    ports: ["127.0.0.1:${port}:80"]
    expose: ["9000", "7000-7001"]
    labels: { tier.name: front }
    volumes: ["data:/data", "/anon"]
    depends_on: [db]
    secrets: [key]
  db:
    image: ${image}
    command: ["sh", "-c", "echo one; echo two; echo three; exec sleep 1000"]
    stop_signal: SIGKILL
    scale: 2
  once:
    image: ${image}
    command: ["sh", "-c", "exit 3"]
  never: { image: ${image}, profiles: [debug] }
volumes: { data: { labels: { v: "1" } } }
secrets: { key: { environment: KEY } }
`;

suite("output of a running project, %s", (mode) => {
  let host: TestHost;
  let folder: string;
  let port: number;
  const out = (...args: string[]) => host.must(folder, ...args);
  const run = (...args: string[]) => host.run(folder, args);
  const lines = async (...args: string[]) => (await out(...args)).trimEnd().split("\n");
  const rows = async (...args: string[]) =>
    (await lines(...args)).map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    host = new TestHost(mode, { KEY: "unseen" });
    port = await freePort();
    folder = host.project("demo", { "compose.yaml": compose(`${registry.address}/bb:1`, port) });
    await out("up", "-d");
    await eventually(async () => (await out("ps", "-aq", "--status", "exited")).trim() !== "");
  }, 60_000);
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  }, 30_000);

  test("ps: fields and types of each row, tables, ids, templates", async () => {
    const [row] = await rows("ps", "web", "--format", "json");
    const types = Object.fromEntries(Object.entries(row ?? {}).map(([key, value]) => [key, typeof value]));
    const text = "string";
    expect(types).toEqual({
      ...{ Command: text, CreatedAt: text, ExitCode: "number", Health: text, ID: text, Image: text, Labels: text },
      ...{ LocalVolumes: text, Mounts: text, Name: text, Names: text, Networks: text, Ports: text, Project: text },
      ...{ Publishers: "object", RunningFor: text, Service: text, Size: text, State: text, Status: text },
    });
    expect(row).toMatchObject({
      Command: '"sh -c \'echo hello; …"',
      Name: "demo-web-1",
      Networks: "demo_default",
      LocalVolumes: "2",
      Ports: `7000-7001/tcp, 9000/tcp, 127.0.0.1:${port}->80/tcp`,
      Publishers: [
        { URL: "127.0.0.1", TargetPort: 80, PublishedPort: port, Protocol: "tcp" },
        { URL: "", TargetPort: 7000, PublishedPort: 0, Protocol: "tcp" },
        { URL: "", TargetPort: 7001, PublishedPort: 0, Protocol: "tcp" },
        { URL: "", TargetPort: 9000, PublishedPort: 0, Protocol: "tcp" },
      ],
      State: "running",
      ExitCode: 0,
    });
    expect(await out("ps", "web", "--format", "json")).toContain("-\\u003e80/tcp");
    expect((await lines("ps"))[0]).toMatch(/^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS$/);
    expect(await lines("ps", "-q")).toHaveLength(3);
    expect((await lines("ps", "-q"))[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await lines("ps", "-a", "--services")).toEqual(["db", "once", "web"]);
    expect(
      await lines("ps", "-a", "--filter", "status=exited", "--format", "{{.Name}} {{.ExitCode}} {{.Status}}"),
    ).toEqual([expect.stringMatching(/^demo-once-1 3 Exited \(3\) .* ago$/)]);
    expect(await lines("ps", "web", "--format", 'table {{.Name}}\\t{{.Label "tier.name"}}\\t{{.Publishers}}')).toEqual([
      "NAME         name      <no value>",
      `demo-web-1   front     [{127.0.0.1 80 ${port} tcp} { 7000 0 tcp} { 7001 0 tcp} { 9000 0 tcp}]`,
    ]);
    expect(await run("ps", "--format", "{{.Nope}}")).toMatchObject({ code: 1, stdout: "" });
    expect(await run("ps", "nosuch")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no such service: nosuch"),
    });
  });

  test("ls, images, volumes, version, config lists", async () => {
    expect(JSON.parse(await out("ls", "-a", "--format", "json"))).toEqual([
      { Name: "demo", Status: "exited(1), running(3)", ConfigFiles: `${folder}/compose.yaml` },
    ]);
    expect(await lines("ls", "-q")).toEqual(["demo"]);
    expect((await lines("ls"))[1]).toBe(`demo                running(3)          ${folder}/compose.yaml`);
    const images = JSON.parse(await out("images", "--format", "json")) as Record<string, unknown>[];
    expect(images).toHaveLength(4);
    expect(images[0]).toEqual({
      ID: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ContainerName: "demo-db-1",
      Repository: `${registry.address}/bb`,
      Tag: "1",
      Platform: expect.stringMatching(/^linux\//),
      Size: expect.any(Number),
      Created: expect.any(String),
      ...("LastTagTime" in (images[0] ?? {}) ? { LastTagTime: expect.any(String) } : {}),
    });
    expect(await lines("images", "-q")).toHaveLength(1);
    const volumes = await rows("volumes", "--format", "json");
    expect(volumes.map(({ Name }) => Name)).toEqual(["demo_data"]);
    expect(await out("volumes", "--format", '{{.Label "v"}}')).toBe("1\n");
    expect(Object.keys(volumes[0] ?? {})).toEqual([
      ...["Availability", "Driver", "Group", "Labels", "Links", "Mountpoint", "Name", "Scope", "Size", "Status"],
    ]);
    expect(JSON.parse(await out("version", "--format", "json"))).toEqual({ version: expect.stringMatching(/^v\d+\./) });
    expect(await out("version", "--short")).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await lines("config", "--services")).toEqual(["db", "once", "web"]);
    expect(await lines("config", "--profiles")).toEqual(["debug"]);
  });

  test("inspect: docker's objects, for templates written for it; secrets stay unseen", async () => {
    const format = '{{.State.Status}} {{.Name}} {{index .Config.Labels "tier.name"}} {{.HostConfig.NetworkMode}}';
    expect(await out("container", "inspect", "-f", format, "demo-web-1")).toBe(
      "running /demo-web-1 front demo_default\n",
    );
    const ports = await out("container", "inspect", "-f", "{{json .NetworkSettings.Ports}}", "demo-web-1");
    expect(JSON.parse(ports)).toEqual({
      "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }],
      "7000/tcp": null,
      "7001/tcp": null,
      "9000/tcp": null,
    });
    const [network] = JSON.parse(await out("network", "inspect", "demo_default")) as Record<string, unknown>[];
    expect(network).toMatchObject({ Name: "demo_default", Driver: "bridge", Scope: "local", Internal: false });
    expect(Object.keys(network?.["Containers"] ?? {})).toHaveLength(3);
    expect(await out("volume", "inspect", "-f", "{{.Name}} {{.Labels.v}}", "demo_data")).toBe("demo_data 1\n");
    expect(await out("image", "inspect", "-f", "{{.Os}} {{json .Config.Cmd}}", `${registry.address}/bb:1`)).toBe(
      'linux ["sh"]\n',
    );
    expect(await out("container", "inspect", "-f", "{{json .Spec.files}}", "demo-web-1")).toBe(
      '[{"target":"/run/secrets/key"}]\n',
    );
    expect(await run("container", "inspect", "nosuch")).toMatchObject({ code: 1, stdout: "[]\n" });
  });

  test("logs: prefixes, order within a container, tail, index, colours, timestamps; streams of one invocation on stdout", async () => {
    expect(await lines("logs", "--tail", "2", "db", "--index", "1")).toEqual(["db-1  | two", "db-1  | three"]);
    expect((await lines("logs", "web")).sort()).toEqual(["web-1  | hello", "web-1  | oops"]);
    expect(await lines("logs", "--no-log-prefix", "-n", "1", "--index", "2", "db")).toEqual(["three"]);
    expect(await out("logs", "-t", "-n", "1", "--index", "1", "db")).toMatch(
      /^db-1 {2}\| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n$/,
    );
    expect(await out("--ansi", "always", "logs", "-n", "1", "--index", "1", "db")).toContain(
      "\u001b[36mdb-1  | \u001b[",
    );
    expect(await out("--ansi", "always", "logs", "--no-color", "db")).not.toContain("\u001b[");
    expect(await out("logs", "--since", "10m", "--until", "0s", "db")).toContain("three");
    expect(await out("logs", "--until", "10m", "db")).toBe("");
    expect(await run("logs", "--index", "1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--index requires one service to be selected"),
    });
  });

  test("stats, top, port, events", async () => {
    const stats = await rows("stats", "--no-stream", "--format", "json");
    expect(stats.map(({ Name }) => Name)).toEqual(["demo-db-1", "demo-db-2", "demo-web-1"]);
    expect(stats[0]).toMatchObject({ Container: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Object.keys(stats[0] ?? {})).toEqual([
      ...["BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"],
    ]);
    expect((await lines("top", "web"))[0]).toMatch(/^SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
    expect(await out("port", "web", "80")).toBe(`127.0.0.1:${port}\n`);
    expect(await run("port", "web", "81")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`no port 81/tcp for container demo-web-1: ${port}/tcp, 0/tcp, 0/tcp, 0/tcp`),
    });
    const events = await rows("events", "--json", "--since", "10m", "--until", "0s", "once");
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(["create", "start", "die"]));
    expect(Object.keys(events[0] ?? {})).toEqual(["action", "attributes", "id", "service", "time", "type"]);
  });

  test("a dry run tells with causes and changes nothing; what cannot tell refuses", async () => {
    const before = await out("ps", "-aq");
    expect(await lines("--dry-run", "up", "-d", "--force-recreate", "--no-deps", "web")).toContain(
      " DRY-RUN MODE -  #1 create container web-1: forced",
    );
    expect(await out("--dry-run", "commit", "web", "x:1")).toContain("DRY-RUN MODE -  demo-web-1 Committed as x:1");
    expect(await out("--dry-run", "publish", "-y", "x/y:1")).toMatch(
      /DRY-RUN MODE - {2}x\/y:1 publishing\n DRY-RUN MODE - {2}x\/y:1 published compose\.yaml/,
    );
    expect(await out("cp", "--dry-run", "web:/bin/busybox", `${folder}/copied`)).toContain("DRY-RUN MODE");
    expect(await run("--dry-run", "exec", "-T", "web", "touch", "/x")).toMatchObject({ code: 1 });
    await out("--dry-run", "down", "-v");
    expect(await out("ps", "-aq")).toBe(before);
    expect(await out("image", "ls", "-q")).toMatch(/^\S+\n$/);
    expect((await run("exec", "-T", "web", "test", "-e", "/x")).code).toBe(1);
  });

  test("progress json: every line of standard error is JSON, the error too; results alone on stdout", async () => {
    const failed = await run("--progress", "json", "up", "-d", "nosuch");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stderr)).toMatchObject({ error: true, message: "no such service: nosuch" });
    const restarted = await run("--progress", "json", "restart", "-t", "0", "web");
    expect(restarted.stdout).toBe("");
    const told = restarted.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toContainEqual({ id: "Container demo-web-1", status: "Done", text: "Started" });
    expect(await run("--progress", "quiet", "restart", "-t", "0", "web")).toMatchObject({ stdout: "", stderr: "" });
    const plain = await run("--progress", "plain", "restart", "-t", "0", "web");
    expect(plain.stderr).toContain(" Container demo-web-1 Started \n");
  });

  test("conflicting flags are refused with docker compose's words", async () => {
    const all = "--abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch";
    const refused: readonly (readonly [string, string])[] = [
      ["up -d --abort-on-container-exit", `--detach cannot be combined with ${all}`],
      ["up --wait --watch", `--wait cannot be combined with ${all}`],
      ["up --build --no-build", "--build and --no-build are incompatible"],
      ["up --force-recreate --no-recreate", "--force-recreate and --no-recreate are incompatible"],
      ["up -V --no-recreate", "--no-recreate and --renew-anon-volumes are incompatible"],
      ["up --attach web --attach-dependencies", "cannot combine --attach and --attach-dependencies"],
      ["up --attach never db", "cannot attach to services not included in up: never"],
      ["up -d --wait-timeout -1", "--wait-timeout must be a non-negative integer"],
      ["--progress tty --ansi never ps", "can't use --progress tty while ANSI support is disabled"],
      ["--no-ansi --ansi always ps", 'cannot specify DEPRECATED "--no-ansi" and "--ansi"'],
      ["ps --bogus", "unknown flag: --bogus"],
      ["scale web", "invalid scale specifier: web"],
      ["up -d --scale web", 'invalid --scale option "web". Should be SERVICE=NUM'],
      ["logs --since bogus", 'invalid value for "since": failed to parse value as time or duration: "bogus"'],
      ["ls --format bogus", 'format value "bogus" could not be parsed: parsing failed'],
      ["-f nosuch.yaml ps", "nosuch.yaml: no such file or directory"],
      ["create --build --no-build", "--build and --no-build are incompatible"],
    ];
    for (const [line, words] of refused) {
      const result = await run(...line.split(" "));
      expect(`${line}: ${result.code} ${result.stderr}`).toContain(words);
      expect(result.code).toBe(1);
    }
  }, 30_000);
});
