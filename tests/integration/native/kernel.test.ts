/** The real kernel against the real machine. Needs root. */
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Kernel, openKernel } from "../../../src/kernel/index.js";
import { NATIVE_DIR } from "../../helpers/native.js";

let kernel: Kernel;
let base = "";
beforeAll(() => {
  kernel = openKernel({ nativeDir: NATIVE_DIR });
});
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tsc-kernel-"));
});
afterEach(async () => {
  await kernel.removeTree(base);
});

describe("programs", () => {
  const env = { PATH: "/usr/bin:/bin" };
  const sh = (script: string, options: object = {}) => kernel.run("/bin/sh", ["-c", script], { env, ...options });

  test("input, output, errors, exit code, folder and nothing but the environment given", async () => {
    expect(await sh("cat; env >&2; pwd; exit 7", { input: "in é\n", cwd: "/usr", env: { A: "1 =2" } })).toMatchObject({
      code: 7,
      stdout: "in é\n/usr\n",
      stderr: expect.stringMatching(/^(?:A=1 =2|PWD=\/usr|\n)+$/),
      timedOut: false,
      overflow: false,
    });
  });

  test("input and output larger than any pipe, at the same time, twenty at once", async () => {
    const input = "0123456789abcdef".repeat(60_000);
    const results = await Promise.all(Array.from({ length: 20 }, () => sh("cat", { input })));
    for (const result of results) expect(result.stdout === input && result.code === 0).toBe(true);
  });

  test("only the descriptors named are there, signals are at their defaults", async () => {
    const { stdout } = await sh("ls /proc/self/fd; grep Sig[BI] /proc/self/status");
    // 32 and 33 belong to the C library, whose posix_spawn ignores them
    expect(stdout).toMatch(/^0\n1\n2\n3\nSigBlk:\t0{16}\nSigIgn:\t0{7}(?:18|00)0{7}\n$/);
  });

  test("a line of another descriptor is waited for beyond the end; a survivor that holds the output is not", async () => {
    const result = await sh("read -r x <&4; (sleep 0.2; echo line >&3; sleep 30) & echo $!", {
      input: "x\n",
      inputDescriptor: 4,
      lineDescriptor: 3,
      newSession: true,
    });
    const survivor = kernel.processIdentity(Number(result.stdout));
    try {
      expect(result).toMatchObject({ code: 0, line: "line\n" });
      expect(survivor).toBeDefined();
    } finally {
      if (survivor !== undefined)
        process.kill(
          -Number(/\) \S \d+ (\d+)/.exec(readFileSync(`/proc/${survivor.pid}/stat`, "utf8"))?.[1]),
          "SIGKILL",
        );
    }
  });

  test("time and output are bounded; a signal is 128 + n; a missing program rejects", async () => {
    expect(await sh("sleep 60", { timeoutMs: 50 })).toMatchObject({ timedOut: true, code: 137 });
    expect(await sh("cat /dev/zero", { stdoutLimit: 1000 })).toMatchObject({ overflow: true, code: 137 });
    expect(await sh("kill -TERM $$")).toMatchObject({ code: 143, timedOut: false });
    expect(await sh("true", { input: "x".repeat(300_000) })).toMatchObject({ code: 0 });
    await expect(kernel.run("/no/such", [], { env })).rejects.toMatchObject({ code: "ENOENT", path: "/no/such" });
  });
});

describe("mounts", () => {
  test("an overlay of 120 folders with long paths", async () => {
    const lower = Array.from({ length: 120 }, (_, i) => join(base, "x".repeat(200), `${"y".repeat(60)}${i}`));
    for (const [i, path] of lower.entries()) {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, `f${i}`), String(i));
    }
    const target = join(base, "merged");
    mkdirSync(target);
    await kernel.mountOverlay({ lower, target });
    try {
      expect(kernel.isMountPoint(target)).toBe(true);
      expect(readdirSync(target)).toHaveLength(120);
    } finally {
      kernel.unmount(target);
    }
    expect(kernel.isMountPoint(target)).toBe(false);
    kernel.unmount(target);
  });

  test("a read-only bind refuses writes, and removeTree never enters a mount", async () => {
    const source = join(base, "source");
    const target = join(base, "tree", "mounted");
    mkdirSync(source);
    mkdirSync(target, { recursive: true });
    writeFileSync(join(source, "kept"), "1");
    kernel.mount(source, target, "", ["bind", "ro", "nosuid"]);
    try {
      expect(() => writeFileSync(join(target, "x"), "")).toThrow(/EROFS/);
      await expect(kernel.removeTree(join(base, "tree"))).rejects.toMatchObject({ code: "EBUSY" });
      expect(existsSync(join(source, "kept"))).toBe(true);
    } finally {
      kernel.unmount(target);
    }
  });

  test("a failed mount names errno, call and path", async () => {
    await expect(kernel.mountOverlay({ lower: [join(base, "none"), base], target: base })).rejects.toMatchObject({
      code: "ENOENT",
      syscall: "fsconfig",
      path: base,
    });
  });
});

test("a network namespace has lo up and its own sysctls, and leaves nothing", async () => {
  const pin = join(base, "netns", "a");
  await kernel.createNetworkNamespace(pin, { "net.ipv4.ip_unprivileged_port_start": "0" });
  const [program = "", ...args] = kernel.inNetworkNamespace(pin);
  const out = execFileSync(program, [
    ...args,
    "sh",
    "-c",
    "cat /sys/class/net/lo/flags; cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
  ]);
  expect(out.toString()).toContain("\n0\n");
  const links = execFileSync(program, [...args, "ip", "-o", "link"]).toString();
  expect(links).toMatch(/^1: lo: <LOOPBACK,UP/);
  kernel.removeNetworkNamespace(pin);
  kernel.removeNetworkNamespace(pin);
  expect(existsSync(pin)).toBe(false);
  await expect(kernel.createNetworkNamespace(pin, { "kernel.hostname": "x" })).rejects.toMatchObject({
    code: "TSC_SYSCTL_REFUSED",
  });
  await expect(kernel.createNetworkNamespace(pin, { "net.none": "x" })).rejects.toMatchObject({ code: "ENOENT" });
  expect(existsSync(pin)).toBe(false);
});

describe("locks", () => {
  test("exclude, wait, abort", async () => {
    const path = join(base, "locks", "l");
    const first = await kernel.lockFile(path);
    expect(await kernel.lockFile(path, { wait: false })).toBeUndefined();
    const abort = new AbortController();
    const aborted = kernel.lockFile(path, { signal: abort.signal });
    const second = kernel.lockFile(path);
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    first?.release();
    const lock = await second;
    expect(lock).toBeDefined();
    lock?.release();
    const [a, b] = await Promise.all([
      kernel.lockFile(path, { shared: true }),
      kernel.lockFile(path, { shared: true }),
    ]);
    a?.release();
    b?.release();
  });
});

describe("processes", () => {
  test("exit, signal and reuse", async () => {
    const child = spawn("sleep", ["60"]);
    const identity = kernel.processIdentity(child.pid ?? 0);
    if (identity === undefined) throw new Error("no identity");
    expect(kernel.signal({ ...identity, startTime: "1" }, "SIGKILL")).toBe(false);
    const gone = kernel.waitForExit(identity);
    expect(kernel.signal(identity, "SIGTERM")).toBe(true);
    await gone;
    expect(kernel.isAlive(identity)).toBe(false);
    await kernel.waitForExit(identity);
  });

  test("children get no stray descriptors", async () => {
    const lock = await kernel.lockFile(join(base, "l"));
    const fds = execFileSync("ls", ["/proc/self/fd"]).toString().trim().split("\n");
    lock?.release();
    // 3 is ls's own view of the folder.
    expect(fds.filter((fd) => Number(fd) > 3)).toEqual([]);
  });
});

describe("inside a root", () => {
  test("links never lead out", () => {
    mkdirSync(join(base, "root", "etc"), { recursive: true });
    writeFileSync(join(base, "root", "etc", "passwd"), "inside");
    writeFileSync(join(base, "secret"), "outside");
    symlinkSync("/etc", join(base, "root", "e"));
    symlinkSync("../../../../../secret", join(base, "root", "s"));
    symlinkSync("/proc/self/root/etc/shadow", join(base, "root", "p"));
    const root = join(base, "root");
    expect(kernel.readFileInRoot(root, "../../e/passwd", 100)?.toString()).toBe("inside");
    expect(kernel.readFileInRoot(root, "s", 100)).toBeUndefined();
    expect(kernel.readFileInRoot(root, "p", 100)).toBeUndefined();
    expect(() => kernel.readFileInRoot(root, "etc", 100)).toThrow(/not a regular file/);
    expect(() => kernel.readFileInRoot(root, "etc/passwd", 3)).toThrow(/EFBIG/);
    {
      using made = kernel.openInRoot(root, "/s/a/b", { createDirectories: true, uid: 5, gid: 6 });
      expect([made.within, realpathSync(made.path)]).toEqual(["secret/a/b", join(root, "secret/a/b")]);
    }
    for (const [path, found] of [
      ["/etc/passwd", false],
      ["/etc/none/x", false],
      ["/etc/passwd/x", false],
      ["/e/passwd", true],
      ["/e", true],
      ["/p", true],
    ] as const) {
      expect([path, kernel.hasLink(root, path)]).toEqual([path, found]);
    }
    expect(readFileSync(join(base, "secret"), "utf8")).toBe("outside");
    kernel.createMountPoint(root, "/e/hosts", "file");
    expect(existsSync(join(root, "etc/hosts"))).toBe(true);
  });

  test("what is open stays itself when a link takes its place, for mounts and for the tar programs", async () => {
    const root = join(base, "opened");
    for (const folder of ["in/real", "out/real", "pin"]) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, "in/real/f"), "inside");
    writeFileSync(join(root, "out/real/f"), "outside");
    using opened = kernel.openInRoot(join(root, "in"), "/real");
    renameSync(join(root, "in/real"), join(root, "in/moved"));
    symlinkSync(join(root, "out/real"), join(root, "in/real"));
    kernel.bindOpened(opened, join(root, "pin"));
    try {
      expect(readFileSync(join(root, "pin/f"), "utf8")).toBe("inside");
    } finally {
      kernel.unmount(join(root, "pin"), { detach: true });
    }
    const tar = execFileSync("tar", ["-xOf", "-", "f"], {
      input: await buffer(kernel.packLayer({ source: opened, overlay: false })),
    });
    expect(tar.toString()).toBe("inside");
    await kernel.unpackLayer({
      target: opened,
      whiteouts: "apply",
      input: kernel.packLayer({ source: join(root, "out/real"), overlay: false }),
      compression: "none",
    });
    expect(readFileSync(join(root, "in/moved/f"), "utf8")).toBe("outside");
    expect(opened.within).toBe("real");
  });
});

test("removing a tree deeper than PATH_MAX", async () => {
  const top = join(base, "deep");
  execFileSync("python3", [
    "-c",
    "import os,sys\nos.mkdir(sys.argv[1]);os.chdir(sys.argv[1])\nfor i in range(3000): os.mkdir('dd');os.chdir('dd')",
    top,
  ]);
  await kernel.removeTree(top);
  expect(existsSync(top)).toBe(false);
});

describe("packet sockets", () => {
  let helper: ReturnType<typeof spawn> | undefined;
  afterAll(() => {
    helper?.kill();
  });
  test("packets keep their bounds, writes reach the peer, the end is seen, long paths work", async () => {
    const folder = join(base, "p".repeat(100), "q".repeat(60));
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "attach");
    helper = spawn("python3", [
      "-c",
      "import socket,os,sys\nos.chdir(sys.argv[1])\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET);s.bind('attach');s.listen(1)\nprint('ok',flush=True)\nc,_=s.accept()\nc.send(b'\\x02one');c.send(b'\\x03two')\ngot=c.recv(65536)\nc.send(b'\\x02'+got)\nassert c.recv(10)==b''\nc.close()",
      folder,
    ]);
    await new Promise((ready) => helper?.stdout?.once("data", ready));
    const socket = await kernel.connectPacketSocket(path);
    const packets: string[] = [];
    const end = new Promise<void>((done) => socket.onEnd(done));
    socket.onPacket((packet) => {
      packets.push(packet.toString("latin1"));
    });
    await socket.write(Buffer.alloc(8000, "z"));
    socket.shutdownWrite();
    await end;
    expect(packets).toEqual(["\x02one", "\x03two", `\x02${"z".repeat(8000)}`]);
    socket.close();
    await expect(socket.write(Buffer.from("x"))).rejects.toMatchObject({ code: "EPIPE" });
    await expect(kernel.connectPacketSocket(join(base, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a stream socket is refused", async () => {
    const path = join(base, "stream");
    const server: Server = createServer().listen(path);
    await new Promise((ready) => server.once("listening", ready));
    await expect(kernel.connectPacketSocket(path)).rejects.toMatchObject({ code: "EPROTOTYPE" });
    server.close();
    rmSync(path, { force: true });
  });
});
