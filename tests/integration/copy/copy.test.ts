/** Copy, export, commit, stats and top on the real engine: needs root, an OCI runtime, conmon and a static busybox. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Engine, openEngine } from "../../../src/engine/index.js";
import { encodeTarHeader, TAR_END, tarPadding } from "../../../src/lib/tar.js";

const why = process.getuid?.() !== 0 ? "not root" : existsSync("/bin/busybox") ? "" : "no static busybox";
const suite = why === "" ? describe : describe.skip;
if (why !== "") console.warn(`copy tests are skipped: ${why}`);

suite("a container seen from the host", () => {
  let base: string;
  let engine: Engine;
  let id: string;

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), "tsc-copy-"));
    mkdirSync(join(base, "ctx"));
    mkdirSync(join(base, "bind"));
    writeFileSync(join(base, "bind/b"), "bind\n");
    cpSync("/bin/busybox", join(base, "ctx/busybox"));
    engine = await openEngine({
      root: join(base, "root"),
      runRoot: join(base, "run"),
      env: { PATH: process.env.PATH },
    });
    await engine.images.build({
      context: join(base, "ctx"),
      dockerfileInline:
        'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox","--install","-s","/bin"]\nRUN mkdir -p /etc /data /evil && echo image > /etc/f && ln -s /etc/f /link && ln -s / /evil/root && echo seed > /data/seed && chown 3:4 /data && chmod 750 /data\n',
      tags: ["c:1"],
    });
    id = await engine.containers.create({
      name: "c1",
      image: "c:1",
      entrypoint: ["/bin/sleep", "600"],
      networkMode: { kind: "none" },
      stopSignal: "SIGKILL",
      mounts: [
        { type: "volume", source: "vol", target: "/data" },
        { type: "bind", source: join(base, "bind"), target: "/data/deep", readOnly: true },
      ],
    });
    await engine.containers.start(id);
  }, 60_000);

  afterAll(async () => {
    for (const info of (await engine?.containers.list()) ?? [])
      await engine.containers.remove(info.id, { force: true });
    await engine?.close();
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(base));
    rmSync(base, { recursive: true, force: true });
    expect(mounts).toEqual([]);
  }, 60_000);

  const listTar = async (stream: NodeJS.ReadableStream): Promise<string[]> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    return execFileSync("tar", ["-tf", "-"], { input: Buffer.concat(chunks), encoding: "utf8" })
      .trim()
      .split("\n");
  };
  const tarOf = (name: string, content: string): Readable => {
    const folder = mkdtempSync(join(base, "in-"));
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
    return Readable.from([execFileSync("tar", ["-C", folder, "-cf", "-", "."])]);
  };
  const exec = async (...argv: string[]): Promise<string> => {
    await using session = await engine.containers.exec(id, { argv });
    let text = "";
    for await (const { data } of session.output) text += Buffer.from(data).toString();
    await session.exit;
    return text;
  };

  test("a fresh volume gets the image's content with its owner, once", async () => {
    expect(await exec("/bin/sh", "-c", "cat /data/seed; stat -c '%u:%g %a' /data")).toBe("seed\n3:4 750\n");
  });

  test("copyOut takes a folder with its volume and the bind inside it", async () => {
    expect(
      (await listTar(await engine.containers.copyOut(id, "/data")))
        .map((name) => name.replace(/\/$/, ""))
        .filter((name, i, all) => all.indexOf(name) === i)
        .sort(),
    ).toEqual(["data", "data/deep", "data/deep/b", "data/seed"]);
    expect(await listTar(await engine.containers.copyOut(id, "/link"))).toEqual(["link"]);
    expect(await listTar(await engine.containers.copyOut(id, "/evil/root/etc/f"))).toEqual(["f"]);
    await expect(engine.containers.copyOut(id, "/nothing")).rejects.toMatchObject({ code: "TSC_COPY_NOT_FOUND" });
  });

  test("copyIn writes into rootfs and volume, never into what is read-only or outside", async () => {
    await engine.containers.copyIn(id, "/evil/root/etc", tarOf("new", "N"));
    expect(await exec("/bin/cat", "/etc/new")).toBe("N");
    await engine.containers.copyIn(id, "/", tarOf("data/x", "V"));
    expect(await exec("/bin/cat", "/data/x")).toBe("V");
    expect(readFileSync(join(base, "root/volumes/vol/_data/x"), "utf8")).toBe("V");
    await expect(engine.containers.copyIn(id, "/data/deep", tarOf("y", "Y"))).rejects.toMatchObject({
      code: "TSC_COPY_READ_ONLY",
    });
    await expect(engine.containers.copyIn(id, "/etc/f", tarOf("y", "Y"))).rejects.toMatchObject({
      code: "TSC_COPY_NOT_FOLDER",
    });
    await expect(
      engine.containers.copyIn(id, "/etc", Readable.from([Buffer.from("no tar".repeat(200))])),
    ).rejects.toMatchObject({ code: "TSC_COPY_ARCHIVE" });
  });

  test("links of folders lead on inside the container; removal goes where they lead, never through a mount point", async () => {
    const folders = (...names: string[]) =>
      Readable.from([
        ...names.map((name) =>
          encodeTarHeader({ name, type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }),
        ),
        TAR_END,
      ]);
    await exec(
      "/bin/sh",
      "-c",
      "mkdir -p /real/deep && ln -s /real /way && ln -s ../../../real /way/up && touch /real/deep/gone",
    );
    const header = { name: "way/up/deep/new", type: "file", mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0 } as const;
    const file = Readable.from([encodeTarHeader(header), Buffer.from("W"), tarPadding(1), TAR_END]);
    await engine.containers.copyIn(id, "/", file);
    expect(await exec("/bin/cat", "/real/deep/new")).toBe("W");
    await expect(engine.containers.copyIn(id, "/", folders("way/"))).rejects.toMatchObject({
      code: "TSC_COPY_CONFLICT",
    });
    await engine.containers.copyIn(id, "/", folders("way/", "way/sub/"), { followLinks: true });
    expect(await exec("/bin/sh", "-c", "test -L /way && ls -d /real/sub")).toContain("/real/sub");
    await engine.containers.removePaths(id, ["/way/deep/gone", "/way/nothing", "/data", "/way/sub"]);
    expect((await exec("/bin/sh", "-c", "ls /real /real/deep; test -d /data && echo kept")).split("\n")).toEqual(
      expect.arrayContaining(["new", "kept"]),
    );
    expect(await exec("/bin/sh", "-c", "ls /real/deep /real")).not.toMatch(/gone|sub/);
    await expect(engine.containers.removePaths(id, ["/data/deep/b"])).rejects.toMatchObject({
      code: "TSC_COPY_READ_ONLY",
    });
    await engine.containers.removePaths(id, ["/way"]);
    expect(await exec("/bin/sh", "-c", "ls -d /real /way 2>/dev/null; true")).not.toContain("/way");
  });

  test("stat describes links and folders", async () => {
    expect(await engine.containers.stat(id, "/link")).toMatchObject({ isSymlink: true, linkTarget: "/etc/f" });
    expect(await engine.containers.stat(id, "/data/deep/b")).toMatchObject({ isDirectory: false, sizeBytes: 5 });
    expect(await engine.containers.stat(id, "/nope/x")).toBeUndefined();
  });

  test("export holds the rootfs and not the volumes", async () => {
    const names = await listTar(await engine.containers.export(id));
    expect(names.some((name) => /^(\.\/)?etc\/f$/.test(name))).toBe(true);
    expect(names.some((name) => name.includes("data/x") || name.includes("deep/b"))).toBe(false);
  });

  test("top and stats tell of the process", async () => {
    const top = await engine.containers.top(id);
    expect(top.titles).toEqual(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    expect(top.processes.map((row) => row[7])).toEqual(["/bin/sleep 600"]);
    const stats = await engine.containers.stats(id);
    expect(stats.pids).toBe(1);
    expect(stats.memoryBytes).toBeGreaterThan(0);
    expect(stats.cpuTotalNs).toBeGreaterThan(0);
  });

  test("commit makes an image of the changes", async () => {
    await exec("/bin/sh", "-c", "echo changed > /etc/f; rm /link");
    const made = await engine.containers.commit(id, {
      reference: "c:2",
      message: "m",
      author: "a",
      changes: ['CMD ["x"]', "ENV Q=1"],
    });
    const image = await engine.images.inspect("c:2");
    expect(image.id).toBe(made);
    expect(image.config).toMatchObject({ command: ["x"], entrypoint: ["/bin/sleep", "600"] });
    expect(image.config.env).toContain("Q=1");
    const lines: string[] = [];
    await engine.images.build({
      context: join(base, "ctx"),
      dockerfileInline: "FROM c:2\nRUN cat /etc/f; ls -d /link /data/seed 2>&1; true\n",
      tags: [],
      onProgress: (event) => {
        if (event.type === "build-output") lines.push(event.text);
      },
    });
    expect(lines).toEqual(["changed", "ls: /link: No such file or directory", "/data/seed"]);
  }, 60_000);

  test("a stopped container can be copied from and leaves no mount", async () => {
    await engine.containers.stop(id, { timeoutMs: 0 });
    expect(await listTar(await engine.containers.copyOut(id, "/etc/f"))).toEqual(["f"]);
    await engine.containers.copyIn(id, "/etc", tarOf("late", "L"));
    expect(await engine.containers.stat(id, "/etc/late")).toMatchObject({ sizeBytes: 1 });
    expect((await engine.containers.stats(id)).pids).toBe(0);
    await expect(engine.containers.top(id)).rejects.toMatchObject({ code: "TSC_CONTAINER_NOT_RUNNING" });
  }, 60_000);
});
