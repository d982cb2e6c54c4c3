/** Containers of a busybox rootfs through the real conmon and runtime. Needs root. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Bench, collect, openBench } from "./support.js";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(bench.base);
});

describe("a container's life", () => {
  test("output, exit code, log; started again with the same rootfs; nothing is left behind", async () => {
    const { containers } = bench.engine;
    const id = await bench.run("echo out; echo err >&2; exit 3");
    expect(await containers.wait(id)).toBe(3);
    expect(await containers.inspect(id)).toMatchObject({ state: "exited", exitCode: 3, pid: 0 });
    await containers.start(id);
    expect(await containers.wait(id)).toBe(3);
    const lines: string[] = [];
    for await (const line of containers.logs(id)) lines.push(`${line.stream} ${line.text}`);
    expect(lines.toSorted()).toEqual(["stderr err", "stderr err", "stdout out", "stdout out"]);
    await containers.remove(id);
    await expect(containers.inspect(id)).rejects.toMatchObject({ code: "TSC_CONTAINER_NOT_FOUND" });
    for (const folder of ["containers", "exits", "netns"]) {
      expect(readdirSync(join(bench.base, "run", folder))).toEqual([]);
    }
  });

  test("it has started before its program writes: whoever reads from its start on misses nothing", async () => {
    const { containers } = bench.engine;
    const id = await bench.run("echo first");
    for (let starts = 0; starts < 5; starts++) {
      await containers.wait(id);
      const { startedAt } = await containers.inspect(id);
      const lines: string[] = [];
      for await (const { text } of containers.logs(id, { since: startedAt })) lines.push(text);
      expect(lines).toEqual(["first"]);
      await containers.start(id);
    }
    await containers.wait(id);
    await containers.remove(id);
  });

  test("stop sends the signal first; a deaf process is killed after the grace time", async () => {
    const { containers } = bench.engine;
    const polite = await bench.run("trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done");
    await bench.said(polite, "ready");
    await containers.stop(polite);
    expect((await containers.inspect(polite)).exitCode).toBe(7);
    const deaf = await bench.run("trap '' TERM; echo ready; while :; do sleep 1; done");
    await bench.said(deaf, "ready");
    await containers.stop(deaf, { timeoutMs: 200 });
    expect((await containers.inspect(deaf)).exitCode).toBe(137);
    await containers.stop(deaf);
  });

  test("names are unique, and a running container is not removed without force", async () => {
    const { containers } = bench.engine;
    const id = await bench.run("sleep 100", { name: "only" });
    await expect(bench.run("true", { name: "only" })).rejects.toMatchObject({ code: "TSC_CONTAINER_EXISTS" });
    await expect(containers.remove(id)).rejects.toMatchObject({ code: "TSC_CONTAINER_RUNNING" });
    expect((await containers.inspect(id.slice(0, 10))).name).toBe("only");
    await containers.remove("only", { force: true });
  });

  test.each([
    [["/bin/nope"], {}, 127, "TSC_CONTAINER_START"],
    [["/tmp"], {}, 126, "TSC_CONTAINER_START"],
    [["/bin/true"], { user: "ghost" }, 125, "TSC_USER_UNKNOWN"],
    [["/bin/true"], { workingDir: "/proc/self/fd/7" }, 125, "TSC_WORKING_DIR"],
    [["/bin/true"], { mounts: [{ type: "bind" as const, source: "/no/such", target: "/x" }] }, 125, "TSC_BIND_SOURCE"],
  ])("%j %j cannot start", async (command, spec, exitCode, code) => {
    const { containers } = bench.engine;
    const id = await containers.create({ name: "bad", image: "", rootfs: bench.rootfs, command, ...spec });
    await expect(containers.start(id)).rejects.toMatchObject({ code, exitCode });
    expect(await containers.inspect(id)).toMatchObject({ state: "created", exitCode });
    await containers.remove(id);
  });

  test("another command sees it running, and one that finds it dead settles it", async () => {
    const id = await bench.run("sleep 100");
    const other = await bench.reopen();
    const info = await other.containers.inspect(id);
    expect(info.state).toBe("running");
    process.kill(info.pid, "SIGKILL");
    const third = await bench.reopen();
    expect(await third.containers.wait(id)).toBe(137);
    expect((await other.containers.inspect(id)).state).toBe("exited");
  });

  test("pause, unpause, and removal of a paused one", async () => {
    const { containers } = bench.engine;
    const id = await bench.run("sleep 100");
    await containers.pause(id);
    expect((await containers.inspect(id)).state).toBe("paused");
    await expect(containers.exec(id, { argv: ["/bin/true"] })).rejects.toMatchObject({ code: "TSC_CONTAINER_PAUSED" });
    await containers.unpause(id);
    expect((await containers.inspect(id)).state).toBe("running");
    await containers.pause(id);
    await containers.remove(id, { force: true });
  });
});

describe("inside", () => {
  test("user, groups, environment, hostname and files are as asked for", async () => {
    const id = await bench.run("sleep 100", {
      user: "web",
      env: { A: "1" },
      hostname: "box",
      workingDir: "/made/here",
      files: [{ target: "/run/secrets/s", content: "hidden", mode: 0o440, uid: 101, gid: 102 }],
      extraHosts: [{ host: "db", ip: "10.0.0.9" }],
    });
    const script =
      "id; pwd; echo $A $HOSTNAME $HOME; cat /run/secrets/s; stat -c ' %a %u' /run/secrets/s; cat /etc/hosts";
    const { stdout, code } = await collect(await bench.engine.containers.exec(id, { argv: ["/bin/sh", "-c", script] }));
    expect(code).toBe(0);
    expect(stdout).toContain("uid=101(web) gid=102(web) groups=102(web),200(logs)");
    expect(stdout).toContain("/made/here\n1 box /srv\nhidden 440 101\n");
    expect(stdout).toContain("10.0.0.9\tdb");
  });

  test("no inherited descriptors, no inheritable capabilities, seccomp on", async () => {
    const id = await bench.run("sleep 100");
    const { stdout } = await collect(
      await bench.engine.containers.exec(id, { argv: ["/bin/sh", "-c", "cat /proc/1/status; ls /proc/1/fd"] }),
    );
    expect(stdout).toMatch(/CapInh:\s+0{16}/);
    expect(stdout).toMatch(/Seccomp:\s+2/);
    expect(stdout.trim().split("\n").slice(-3)).toEqual(["0", "1", "2"]);
  });

  test("crun compiles a seccomp filter once; later containers and their execs get the same one, a damaged copy is made anew", async () => {
    const state = join(bench.base, "run/runtime/crun");
    const [kept = ""] = readdirSync(join(bench.base, "run/seccomp")).map((name) =>
      join(bench.base, "run/seccomp", name),
    );
    const start = async (): Promise<string> => {
      const id = await bench.run("sleep 100");
      const statuses = { argv: ["/bin/cat", "/proc/1/status", "/proc/self/status"] };
      const { stdout } = await collect(await bench.engine.containers.exec(id, statuses));
      expect(stdout.match(/^Seccomp:\s+2$/gm)).toHaveLength(2);
      expect(readFileSync(join(state, id, "seccomp.bpf"))).toEqual(readFileSync(kept));
      return readFileSync(join(bench.base, "run/containers", id, "config.json"), "utf8");
    };
    expect(await start()).toContain("run.oci.seccomp_bpf_data");
    writeFileSync(kept, "rubbish");
    expect(await start()).not.toContain("run.oci.seccomp_bpf_data");
    expect(await start()).toContain("run.oci.seccomp_bpf_data");
  });

  test("a network that fails beside the create is what the error tells, and the container made meanwhile is gone", async () => {
    const plugins = mkdtempSync(join(tmpdir(), "tscrun-plugin-"));
    writeFileSync(join(plugins, "bridge"), `#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\nsleep 0.5\nexit 7\n`, {
      mode: 0o755,
    });
    try {
      await using own = await openBench({ CNI_PATH: plugins });
      await own.engine.networks.create({ name: "app" });
      const networked = { name: "one", networkMode: { kind: "bridge" as const }, networks: [{ network: "app" }] };
      await expect(own.run("sleep 100", networked)).rejects.toMatchObject({ code: "TSC_CNI_FAILED" });
      expect(await own.engine.containers.inspect("one")).toMatchObject({ state: "created", pid: 0 });
      for (const folder of ["containers", "netns", "exits", "runtime/crun"]) {
        expect([folder, ...readdirSync(join(own.base, "run", folder))]).toEqual([folder]);
      }
      await own.engine.containers.remove("one");
      await own.engine.networks.remove("app");
    } finally {
      rmSync(plugins, { recursive: true });
    }
  });

  test("read-only rootfs with tmpfs and a volume that keeps its content", async () => {
    const spec = {
      readOnly: true,
      mounts: [
        { type: "tmpfs" as const, target: "/tmp" },
        { type: "volume" as const, source: "data", target: "/data" },
      ],
    };
    const first = await bench.run("touch /tmp/a && echo kept > /data/x && ! touch /bin/y", spec);
    expect(await bench.engine.containers.wait(first)).toBe(0);
    const second = await bench.run("cat /data/x", spec);
    expect(await bench.engine.containers.wait(second)).toBe(0);
    await expect(bench.engine.volumes.remove("data")).rejects.toMatchObject({ code: "TSC_VOLUME_IN_USE" });
  });
});
