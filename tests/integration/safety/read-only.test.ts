/** What is read-only is so to its end, and what a container may write fills no file system in the host's memory. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const cases = (["root", "user"] as Mode[]).flatMap((mode) => ["crun", "runc"].map((runtime) => ({ mode, runtime })));
const registry = busyboxRegistry();

/** A folder of the host with a writable file system mounted below it; unmounted whatever `body` does. */
async function withSubmount(host: TestHost, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(host.folder, "data");
  const sub = join(folder, "sub");
  mkdirSync(sub, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=1777,size=1m", "tsc-sub", sub]);
  try {
    writeFileSync(join(sub, "kept"), "host\n");
    execFileSync("chmod", ["-R", "a+rwX", folder]);
    await body(folder);
  } finally {
    // the namespaces of the rootless engine hold a copy of the mount
    await host.downAll();
    await host.endNamespaces();
    spawnSync("umount", ["-l", sub]);
  }
}

function service(runtime: string, more: string): string {
  return `services:\n  a:\n    image: ${registry.image}\n    runtime: ${runtime}\n    network_mode: none\n${more}`;
}

const WRITE = "for f in /data/own /data/sub/own; do echo x 2>/dev/null > $$f && echo wrote $$f || echo kept $$f; done";

describe.each(cases)("read-only, $mode with $runtime", ({ mode, runtime }) => {
  async function run(host: TestHost, yaml: string, script: string, more = "") {
    const command = `    command: ["sh", "-c", ${JSON.stringify(script)}]\n`;
    const folder = host.project("ro", { "compose.yaml": service(runtime, `${command}${yaml}`) + more });
    return await host.run(folder, ["run", "--rm", "-T", "a"], { timeoutMs: 120_000 });
  }

  check(
    "a read-only bind is so below its submounts too, unless recursive: says otherwise",
    onHost(mode, async (host) => {
      await withSubmount(host, async (folder) => {
        const bind = (recursive?: string) =>
          `    volumes: [{ type: bind, source: ${folder}, target: /data, read_only: true${recursive === undefined ? "" : `, bind: { recursive: ${recursive} }`} }]\n`;
        const both = "kept /data/own\nkept /data/sub/own\n";
        for (const yaml of [bind(), bind("enabled"), bind("readonly"), `    volumes: ["${folder}:/data:ro"]\n`]) {
          const result = await run(host, yaml, WRITE);
          expect({ yaml, ...result }).toMatchObject({
            yaml,
            stdout: both,
            stderr: expect.not.stringContaining("warning"),
          });
        }
        const writable = await run(host, bind("writable"), WRITE);
        expect(writable.stdout).toBe("kept /data/own\nwrote /data/sub/own\n");
        const disabled = await run(host, bind("disabled"), `${WRITE}; ls /data/sub`);
        if (mode === "root") {
          // without the submount its folder is what is seen, and that is part of the bind
          expect(disabled).toMatchObject({ stdout: both, stderr: expect.not.stringContaining("warning") });
        } else expect(disabled).toMatchObject({ code: 125, stderr: expect.stringContaining("TSC_MOUNT_RECURSIVE") });
      });
    }),
    300_000,
  );

  check(
    "a single file bound read-only is read and not written",
    onHost(mode, async (host) => {
      const file = join(host.folder, "one.conf");
      writeFileSync(file, "kept\n");
      chmodSync(file, 0o666);
      const result = await run(
        host,
        `    volumes: ["${file}:/etc/one.conf:ro"]\n`,
        "cat /etc/one.conf; echo x >> /etc/one.conf",
      );
      expect(result.stdout).toBe("kept\n");
      expect(result.stderr).toMatch(/Read-only file system/);
      expect(readFileSync(file, "utf8")).toBe("kept\n");
    }),
    120_000,
  );

  check(
    "recursive: readonly is refused where it could not be kept",
    onHost(mode, async (host) => {
      const folder = host.project("source", { file: "" });
      for (const more of [
        "bind: { recursive: readonly }",
        "read_only: true, bind: { recursive: readonly, propagation: rslave }",
      ]) {
        const result = await run(
          host,
          `    volumes: [{ type: bind, source: ${folder}, target: /data, ${more} }]\n`,
          "true",
        );
        expect({ more, code: result.code === 0, stderr: result.stderr }).toEqual({
          more,
          code: false,
          stderr: expect.stringContaining("TSC_MOUNT_RECURSIVE"),
        });
      }
    }),
    180_000,
  );

  check(
    "volumes_from: :ro takes the submounts of a writable bind along",
    onHost(mode, async (host) => {
      await withSubmount(host, async (folder) => {
        const donor = `  d:\n    image: ${registry.image}\n    network_mode: none\n    command: [sleep, "600"]\n    volumes: ["${folder}:/data"]\n`;
        const project = host.project("ro", {
          "compose.yaml": `${service(runtime, `    command: ["sh", "-c", ${JSON.stringify(WRITE)}]\n    volumes_from: ["d:ro"]\n`)}${donor}`,
        });
        await host.must(project, "up", "-d", "d");
        const result = await host.run(project, ["run", "--rm", "--no-deps", "-T", "a"]);
        expect(result.stdout).toBe("kept /data/own\nkept /data/sub/own\n");
      });
    }),
    180_000,
  );

  check(
    "a volume asked for read-only inside a read-only bind's place may still be written when it is asked for as writable",
    onHost(mode, async (host) => {
      const folder = host.project("source", { "sub/file": "" });
      const result = await run(
        host,
        `    volumes: ["${folder}:/data:ro", "vol:/data/sub"]\n`,
        WRITE,
        "volumes: { vol: {} }\n",
      );
      expect(result.stderr).not.toContain("warning");
      expect(result.stdout).toBe("kept /data/own\nwrote /data/sub/own\n");
    }),
    180_000,
  );

  const FILES =
    "for f in hosts resolv.conf hostname; do echo 9.9.9.9 x 2>/dev/null >> /etc/$$f && echo wrote $$f || echo kept $$f; done";
  check(
    "read_only: true holds for /etc/hosts, resolv.conf and hostname; without it they can be written",
    onHost(mode, async (host) => {
      const closed = await run(host, "    read_only: true\n", FILES);
      expect(closed.stdout).toBe("kept hosts\nkept resolv.conf\nkept hostname\n");
      const open = await run(host, "", FILES);
      expect(open.stdout).toBe("wrote hosts\nwrote resolv.conf\nwrote hostname\n");
      const flags = await run(host, "", "grep -c ' /etc/[a-z.]* rw,nosuid,nodev,noexec' /proc/self/mountinfo");
      expect(flags.stdout).toBe("3\n");
      const user = await run(host, "    user: '1234'\n", "cat /etc/hosts /etc/resolv.conf /etc/hostname > /dev/null");
      expect(user.code).toBe(0);
    }),
    180_000,
  );

  check(
    "what is written to /etc/hosts does not fill the run folder, which lies in memory",
    onHost(mode, async (host) => {
      const used = () => {
        const { blocks, bfree, bsize } = statfsSync(join(host.folder, "run"));
        return (blocks - bfree) * bsize;
      };
      const project = host.project("fill", {
        "compose.yaml": service(runtime, "    command: [sleep, '600']\n"),
      });
      await host.must(project, "up", "-d");
      const before = used();
      await host.must(
        project,
        "exec",
        "-T",
        "a",
        "sh",
        "-c",
        "for f in hosts resolv.conf hostname; do dd if=/dev/zero of=/etc/$f bs=1M count=16; done",
      );
      expect(used() - before).toBeLessThan(1 << 20);
      // the next start has its own again
      await host.must(project, "restart", "-t", "0");
      expect(Number(await host.must(project, "exec", "-T", "a", "sh", "-c", "cat /etc/hosts | wc -c"))).toBeLessThan(
        1000,
      );
    }),
    180_000,
  );
});
