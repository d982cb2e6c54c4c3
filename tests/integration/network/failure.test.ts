/** What is left when plugins fail, commands are killed and helpers die: nothing. Needs root. */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { bundle, codeOf, freePort, get, getFromHost, ipJson, lookup, openBench, serve } from "./support.js";

/** A folder with a false `bridge` plugin, for CNI_PATH. */
function falsePlugin(script: string): string {
  const dir = mkdtempSync(join(tmpdir(), "tscnet-plugin-"));
  writeFileSync(join(dir, "bridge"), `#!/bin/sh\nif [ "$CNI_COMMAND" = DEL ]; then exit 0; fi\n${script}\n`);
  chmodSync(join(dir, "bridge"), 0o755);
  return dir;
}

test.each([
  [
    "an error",
    `echo '{"cniVersion":"1.0.0","code":11,"msg":"no luck\\u001b[31m","details":"today"}'; exit 1`,
    "no luck [31m: today",
  ],
  ["rubbish with success", "echo rubbish", "printed no result"],
  ["nothing with success", "exit 0", "printed no result"],
  ["a signal", "kill -9 $$", "exit 137"],
])("a plugin that answers with %s fails the attach and leaves nothing", async (_name, script, says) => {
  const dir = falsePlugin(script);
  try {
    await using bench = openBench({ CNI_PATH: dir });
    await bench.networking.create({ name: "app" });
    const id = bench.addContainer("web");
    const port = await freePort();
    const request = {
      id,
      name: "web",
      attachments: [{ network: "app" }],
      ports: [{ containerPort: 80, hostPort: port, protocol: "tcp" as const, hostIp: "" }],
    };
    await expect(bench.networking.attach(request)).rejects.toMatchObject({
      code: "TSC_CNI_FAILED",
      message: expect.stringContaining(says),
    });
    expect(bench.networking.endpoints(id)).toEqual([]);
    expect(readdirSync(bench.context.paths.netns)).toEqual([]);
    expect(existsSync(join(bench.context.paths.network, "dns/main"))).toBe(false);
    await bench.networking.remove("app");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a bridge that a failed ADD left without an address is made anew, and goes with its network", async () => {
  const dir = falsePlugin("");
  // As when the plugin is killed after the veth joined: the bridge takes the port's address and loses it with the port.
  const half = `ip link add "$bridge" type bridge; ip link add tscv0 type veth peer name tscv1; ip link set tscv0 master "$bridge"; ip link del tscv0`;
  const again = join(dir, "again");
  writeFileSync(
    join(dir, "bridge"),
    `#!/bin/sh\ninput=$(cat)\nbridge=$(printf '%s' "$input" | sed 's/.*"bridge":"\\([^"]*\\)".*/\\1/')
if [ "$CNI_COMMAND" = ADD ] && [ ! -e ${again} ]; then ${half}; exit 3; fi\nprintf '%s' "$input" | /usr/lib/cni/bridge\n`,
  );
  const addressOf = (bridge: string): unknown => {
    const links = ipJson("link", "show", "type", "bridge") as { ifname: string; address: string }[];
    return links.find(({ ifname }) => ifname === bridge)?.address;
  };
  try {
    await using bench = openBench({ CNI_PATH: dir });
    for (const name of ["app", "own"]) {
      const options = name === "own" ? { driverOpts: { "com.docker.network.bridge.name": "tscown0" } } : {};
      const { bridge } = await bench.networking.create({ name, ...options });
      const request = { id: bench.addContainer(name), name, attachments: [{ network: name }], ports: [] };
      expect(await codeOf(bench.networking.attach(request))).toBe("TSC_CNI_FAILED");
      expect(addressOf(bridge)).toBe("00:00:00:00:00:00");
      writeFileSync(again, "");
      const { endpoints } = await bench.networking.attach(request);
      expect(endpoints).toHaveLength(1);
      expect(addressOf(bridge)).toMatch(/^(?!00:00)/);
      await bench.networking.detach(request.id, { release: true });
      await bench.networking.remove(name);
      expect(addressOf(bridge)).toBeUndefined();
      rmSync(again);
    }
    const { bridge } = await bench.networking.create({ name: "gone" });
    const request = { id: bench.addContainer("gone"), name: "gone", attachments: [{ network: "gone" }], ports: [] };
    expect(await codeOf(bench.networking.attach(request))).toBe("TSC_CNI_FAILED");
    await bench.networking.remove("gone");
    expect(addressOf(bridge)).toBeUndefined();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a second network that fails takes the first one off again", async () => {
  const dir = falsePlugin(`case "$(cat | tee /dev/stderr)" in *tscbad*) exit 3;; *) exec /usr/lib/cni/bridge;; esac`);
  // The real plugin needs its input again: let the false one hand it on.
  writeFileSync(
    join(dir, "bridge"),
    `#!/bin/sh\ninput=$(cat)\ncase "$input" in *tscbad0*) [ "$CNI_COMMAND" = DEL ] || exit 3;; esac\nprintf '%s' "$input" | /usr/lib/cni/bridge\n`,
  );
  try {
    await using bench = openBench({ CNI_PATH: dir });
    await bench.networking.create({ name: "good" });
    await bench.networking.create({ name: "bad", driverOpts: { "com.docker.network.bridge.name": "tscbad0" } });
    const stays = bench.addContainer("stays");
    const kept = await bench.networking.attach({
      id: stays,
      name: "stays",
      attachments: [{ network: "good" }],
      ports: [],
    });
    const id = bench.addContainer("web");
    const attachments = [{ network: "good", priority: 2 }, { network: "bad" }];
    await expect(bench.networking.attach({ id, name: "web", attachments, ports: [] })).rejects.toMatchObject({
      code: "TSC_CNI_FAILED",
    });
    expect(bench.networking.endpoints(id)).toEqual([]);
    expect(lookup(bench, kept.netnsPath, "web", kept.endpoints[0]?.gateway ?? "")).toBeUndefined();
    expect(Object.keys((await bench.networking.inspect("good")).containers)).toEqual([stays]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a missing plugin names the package", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const text = bench.state.get<{ conflist: string }>("SELECT conflist FROM networks")?.conflist ?? "";
  bench.state.run("UPDATE networks SET conflist = ?", text.replace('"type":"bridge"', '"type":"brigde"'));
  const id = bench.addContainer("web");
  await expect(
    bench.networking.attach({ id, name: "web", attachments: [{ network: "app" }], ports: [] }),
  ).rejects.toMatchObject({
    code: "TSC_MISSING_PROGRAM",
    hint: expect.stringContaining("apt-get install containernetworking-plugins"),
  });
});

test("after kill -9 in the middle of an attach the next command cleans up", async () => {
  const dir = falsePlugin("touch $0.began; exec sleep 20");
  await using bench = openBench({});
  try {
    await bench.networking.create({ name: "app" });
    const id = bench.addContainer("web");
    const program = await bundle(
      `import { openNetworking } from "SRC/engine/network/index.ts"; import { openState } from "SRC/engine/state/index.ts"; import { openKernel } from "SRC/kernel/index.ts";
       const paths = ${JSON.stringify(bench.context.paths)}; const kernel = openKernel({ nativeDir: "native/build" });
       await openNetworking({ paths, kernel, state: openState(paths.database), env: { PATH: process.env.PATH, CNI_PATH: ${JSON.stringify(dir)} }, rootless: kernel.isRootless, warn() {}, emit() {} })
         .attach({ id: ${JSON.stringify(id)}, name: "web", attachments: [{ network: "app" }], ports: [] });`,
      dir,
    );
    const child = spawn(process.execPath, [program], { stdio: "inherit" });
    while (!existsSync(join(dir, "bridge.began"))) await delay(20);
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
    expect(readdirSync(bench.context.paths.netns)).toEqual([id]);
    await bench.reopen().repair();
    expect(readdirSync(bench.context.paths.netns)).toEqual([]);
    expect(bench.networking.endpoints(id)).toEqual([]);
    const result = await bench.networking.attach({ id, name: "web", attachments: [{ network: "app" }], ports: [] });
    expect(result.endpoints.length).toBe(1);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a dead name server is started again, and a vanished namespace drops its endpoint", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const [one, two] = [bench.addContainer("one"), bench.addContainer("two")];
  const port = await freePort();
  const ports = [{ containerPort: 80, hostPort: port, protocol: "tcp" as const, hostIp: "" }];
  const a = await bench.networking.attach({ id: one, name: "one", attachments: [{ network: "app" }], ports });
  const b = await bench.networking.attach({ id: two, name: "two", attachments: [{ network: "app" }], ports: [] });
  const gateway = a.endpoints[0]?.gateway ?? "";
  const pidFile = join(bench.context.paths.network, "dns/main/aardvark.pid");
  process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
  await delay(50);
  expect(lookup(bench, a.netnsPath, "two", gateway)).toBeUndefined();
  await bench.reopen().repair();
  expect(lookup(bench, a.netnsPath, "two", gateway)).toEqual([b.endpoints[0]?.ipv4]);
  execFileSync("umount", [b.netnsPath]);
  await bench.reopen().repair();
  expect(bench.networking.endpoints(two)).toEqual([]);
  expect(lookup(bench, a.netnsPath, "two", gateway)).toBeUndefined();
  await using _server = await serve(a.netnsPath, 80, "alive");
  expect(await getFromHost(`http://127.0.0.1:${port}/`)).toBe("alive");
  expect(get(bench, a.netnsPath, `http://${a.endpoints[0]?.ipv4}/`)).toBe("alive");
});

test("bursts of many containers keep addresses apart and names right", async () => {
  await using bench = openBench();
  await bench.networking.create({ name: "app" });
  const other = bench.reopen();
  const ids = Array.from({ length: 16 }, (_, i) => bench.addContainer(`c${i}`));
  const results = await Promise.all(
    ids.map((id, i) =>
      (i % 2 === 0 ? bench.networking : other).attach({
        id,
        name: `c${i}`,
        attachments: [{ network: "app" }],
        ports: [],
      }),
    ),
  );
  const addresses = results.map((result) => result.endpoints[0]?.ipv4);
  expect(new Set(addresses).size).toBe(16);
  const first = results[0];
  const gateway = first?.endpoints[0]?.gateway ?? "";
  for (const i of [1, 7, 15]) expect(lookup(bench, first?.netnsPath ?? "", `c${i}`, gateway)).toEqual([addresses[i]]);
  await Promise.all(ids.map((id, i) => (i % 2 === 0 ? other : bench.networking).detach(id)));
  mkdirSync(bench.context.paths.netns, { recursive: true });
  expect(readdirSync(bench.context.paths.netns)).toEqual([]);
  expect(existsSync(pathOf(bench.context.paths.network))).toBe(false);
});

function pathOf(network: string): string {
  return join(network, "dns/main");
}
