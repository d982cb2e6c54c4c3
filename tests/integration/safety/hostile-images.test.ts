/** Images that attack the host: what published holes of container engines did must come to nothing here. One test per hole, named. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { fileRegistry } from "../../helpers/busybox-registry.js";
import { debianRootfs } from "../../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, type Result, type TestHost } from "../../helpers/host.js";
import { pushImage } from "../../helpers/registry.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];

const registry = fileRegistry({});
let base = "";
/** A folder of the host that every hostile link points to; nothing may ever appear or change in it. */
let target = "";
beforeAll(async () => {
  if (!isRoot) return;
  base = mkdtempSync(join(tmpdir(), "tsc-hostile-"));
  target = join(base, "target");
  mkdirSync(target);
  execFileSync("chmod", ["a+rwx", base, target]);
  writeFileSync(join(target, "secret"), "host secret\n");
  const busybox = debianRootfs("busybox", CACHE);
  const image = async (name: string, change: (root: string) => void, config: Record<string, unknown> = {}) => {
    const root = join(base, name);
    cpSync(busybox, root, { recursive: true, verbatimSymlinks: true });
    change(root);
    await pushImage(registry.address, name, "1", { layers: [root], config });
  };
  const link = (path: string, to: string) => (root: string) => {
    rmSync(join(root, path), { recursive: true, force: true });
    symlinkSync(to, join(root, path));
  };
  await image("plain", () => {});
  await image("workdir-link", link("work", target), { WorkingDir: "/work/made" });
  await image("workdir-fd", () => {}, { WorkingDir: "/proc/self/fd/8" });
  await image("volume-link", link("data", target), { Volumes: { "/data": {} } });
  await image("proc-link", link("proc", target));
  await image("dev-link", link("dev", target));
  await image("etc-link", link("etc", target));
  await image(
    "passwd-link",
    (root) => {
      mkdirSync(join(root, "etc"), { recursive: true });
      link("etc/passwd", join(target, "secret"))(root);
    },
    { User: "host secret" },
  );
  await image(
    "passwd-fifo",
    (root) => {
      mkdirSync(join(root, "etc"), { recursive: true });
      rmSync(join(root, "etc/passwd"), { force: true });
      execFileSync("mkfifo", [join(root, "etc/passwd")]);
    },
    { User: "somebody" },
  );
  await image("passwd-lies", (root) => {
    mkdirSync(join(root, "etc"), { recursive: true });
    writeFileSync(
      join(root, "etc/passwd"),
      "big:x:4294967295:0::/:/bin/sh\nneg:x:-1:0::/:/bin/sh\nroot:x:0:0::/root:/bin/sh\n",
    );
  });
  await image(
    "self-exe",
    (root) => {
      writeFileSync(join(root, "bin/evil"), "#!/proc/self/exe\n");
      execFileSync("chmod", ["755", join(root, "bin/evil")]);
    },
    { Entrypoint: ["/bin/evil"] },
  );
  await image("env", () => {}, {
    Env: [
      "LD_PRELOAD=/evil.so",
      "PATH=/evil",
      "NODE_OPTIONS=--require=/evil.js",
      "A=b\nC=d",
      "=x",
      "NOVALUE",
      "_OCI_SYNCPIPE=7",
    ],
    Cmd: ["/bin/busybox", "env"],
  });
  await image("labels", () => {}, {
    Labels: {
      "run.oci.handler": "krun",
      "run.oci.hooks.stdout": join(target, "hook"),
      "org.systemd.property.ExecStart": "x",
      "com.docker.compose.project": "other",
    },
  });
  await image("setuid", (root) => {
    cpSync(join(root, "bin/busybox"), join(root, "bin/su-busybox"));
    execFileSync("chmod", ["4755", join(root, "bin/su-busybox")]);
    execFileSync("mknod", [join(root, "bin/disk"), "b", "8", "0"]);
  });
}, 120_000);
afterAll(async () => {
  if (base !== "") rmSync(base, { recursive: true, force: true });
});

const untouched = () => ({ entries: readdirSync(target), secret: readFileSync(join(target, "secret"), "utf8") });
const before = { entries: ["secret"], secret: "host secret\n" };

function run(host: TestHost, image: string, more: string[] = [], command: string[] = [], yaml = ""): Promise<Result> {
  const folder = host.project("hostile", {
    "compose.yaml": `services:\n  a:\n    image: "${registry.address}/${image}:1"\n    network_mode: none\n${yaml}`,
  });
  return host.run(folder, ["run", "--rm", "-T", ...more, "a", ...command], { timeoutMs: 30_000 });
}

describe.each(modes)("hostile images, %s", (mode) => {
  check(
    "links out of the rootfs lead nowhere (CVE-2026-55686, CVE-2021-30465, CVE-2023-27561, CVE-2026-41579, CVE-2024-9341)",
    onHost(mode, async (host) => {
      const work = await run(host, "workdir-link", [], ["pwd"]);
      expect({ stdout: work.stdout, ...untouched() }).toMatchObject(before);
      const volume = await run(host, "volume-link", [], ["sh", "-c", "echo x > /data/new; ls /data"]);
      expect({ stdout: volume.stdout, ...untouched() }).toMatchObject(before);
      expect(volume.stdout).not.toContain("secret");
      for (const image of ["proc-link", "dev-link", "etc-link"]) {
        const result = await run(host, image, [], ["ls", "/proc/self/", "/dev/"]);
        expect({ image, ...untouched() }).toEqual({ image, ...before });
        expect(result.stdout).not.toContain("secret");
      }
      const bound = await run(
        host,
        "volume-link",
        [],
        ["ls", "/data/"],
        "    volumes: ['v:/data/sub']\nvolumes: { v: {} }\n",
      );
      expect({ stdout: bound.stdout, ...untouched() }).toMatchObject(before);
      for (const kind of ["configs", "secrets"]) {
        const written = await run(
          host,
          "volume-link",
          [],
          ["true"],
          `    ${kind}: [{ source: c, target: /data/written }]\n${kind}: { c: { ${kind === "configs" ? "content: x" : "environment: HOME"} } }\n`,
        );
        expect({ kind, code: written.code, ...untouched() }).toMatchObject({ kind, ...before });
      }
    }),
    60_000,
  );

  check(
    "working folders in /proc/self/fd find no descriptor of ours (CVE-2024-21626)",
    onHost(mode, async (host) => {
      const image = await run(host, "workdir-fd", [], ["ls", "../../../../"]);
      expect(image.code).not.toBe(0);
      for (const fd of [3, 7, 8, 12]) {
        const result = await run(host, "plain", ["-w", `/proc/self/fd/${fd}`], ["cat", "../../../../etc/hostname"]);
        expect({ fd, code: result.code === 0, stdout: result.stdout }).toEqual({ fd, code: false, stdout: "" });
      }
      const open = await run(
        host,
        "plain",
        [],
        ["sh", "-c", "ls -l /proc/1/fd /proc/self/fd | grep -c -E '/work|/tmp/tsc'"],
      );
      expect(open.stdout.trim()).toBe("0");
    }),
    60_000,
  );

  check(
    "accounts are read only from plain files inside, and bounded (CVE-2024-9676)",
    onHost(mode, async (host) => {
      const linked = await run(host, "passwd-link", [], ["true"]);
      expect(linked.code).not.toBe(0);
      expect(linked.stderr).not.toContain("x:0:0");
      const started = Date.now();
      expect((await run(host, "passwd-fifo", [], ["true"])).code).not.toBe(0);
      expect(Date.now() - started).toBeLessThan(10_000);
      for (const user of ["big", "neg", "../../etc", "a:b:c", "4294967296", "-1"]) {
        const result = await run(host, "passwd-lies", ["-u", user], ["id", "-u"]);
        expect({ user, code: result.code === 0, root: result.stdout.startsWith("0") }).toEqual({
          user,
          code: false,
          root: false,
        });
      }
    }),
    60_000,
  );

  check(
    "the interpreter /proc/self/exe does not reach our programs (CVE-2019-5736)",
    onHost(mode, async (host) => {
      const programs = [
        "/usr/bin/crun",
        "/usr/bin/conmon",
        join(import.meta.dirname, "../../../native/build/tsc-nsexec"),
      ];
      const hashes = () => execFileSync("sha256sum", programs, { encoding: "utf8" });
      const sums = hashes();
      expect((await run(host, "self-exe")).code).not.toBe(0);
      await run(host, "plain", [], ["sh", "-c", "for p in /proc/[0-9]*/exe /proc/self/exe; do echo x > $p; done"]);
      expect(hashes()).toBe(sums);
    }),
    60_000,
  );

  check(
    "environment and labels of an image stay in the container (CVE-2025-24965)",
    onHost(mode, async (host) => {
      const env = await run(host, "env");
      expect(env.code).toBe(0);
      expect(env.stdout).toContain("LD_PRELOAD=/evil.so");
      expect(env.stderr).not.toMatch(/ld\.so|evil/);
      expect((await run(host, "labels", [], ["true"])).code).toBe(0);
      expect(untouched()).toEqual(before);
      // what the runtime reads as orders never comes from an image
      const listed = await host.run(join(host.folder, "projects/hostile"), ["-p", "other", "ps", "-aq"]);
      expect(listed.stdout).toBe("");
    }),
    60_000,
  );

  check(
    "capabilities are not inheritable, secrets of /proc are masked, the machine's knobs read-only (CVE-2022-27649, CVE-2022-24769)",
    onHost(mode, async (host) => {
      const script = [
        "grep CapInh /proc/self/status",
        "cat /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug 2>/dev/null | wc -c",
        "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do (echo x > $f) 2>/dev/null && echo WROTE $f; done",
        "grep -E ' cgroup2? ' /proc/self/mounts | grep -c -v ' ro,'",
        "ls /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v : | tr -d '\\n' | wc -c",
        "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status",
      ].join("; ");
      const result = await run(host, "plain", [], ["sh", "-c", script]);
      const lines = result.stdout.trim().split("\n");
      expect(lines[0]).toMatch(/CapInh:\s0{16}/);
      expect(lines[1]).toBe("0");
      expect(result.stdout).not.toContain("WROTE");
      expect(lines.slice(2, 4)).toEqual(["0", "0"]);
      expect(result.stdout).toMatch(/Seccomp:\s2/);
      const user = await run(
        host,
        "plain",
        ["-u", "1000:1000"],
        ["grep", "-E", "Cap(Inh|Prm|Eff|Amb)", "/proc/self/status"],
      );
      expect(user.stdout.match(/\t0{16}/g)).toHaveLength(4);
    }),
    60_000,
  );

  check(
    "setuid programs and device nodes out of layers",
    onHost(mode, async (host) => {
      const result = await run(
        host,
        "setuid",
        [],
        ["sh", "-c", "stat -c %a /bin/su-busybox; dd if=/bin/disk bs=1 count=1 2>&1 | head -1"],
      );
      expect(result.stdout).toContain("4755");
      // kept by root as data, not made by a user; never readable
      expect(result.stdout).toMatch(/Operation not permitted|No such file|Permission denied|can't open/);
      const locked = await run(
        host,
        "setuid",
        ["-u", "1000"],
        ["grep", "NoNewPrivs", "/proc/self/status"],
        "    security_opt: ['no-new-privileges:true']\n",
      );
      expect(locked.stdout.trim()).toBe("NoNewPrivs:\t1");
      if (mode === "user") {
        const layers = join(host.folder, "store/storage/layers");
        for (const layer of readdirSync(layers)) expect(existsSync(join(layers, layer, "diff/bin/disk"))).toBe(false);
        expect(lstatSync(layers).mode & 0o7).toBeLessThanOrEqual(5);
      }
    }),
    60_000,
  );
});

describe("names from compose files and containers", () => {
  check(
    "cannot leave their folder, their line or their list",
    onHost("user", async (host) => {
      const image = `${registry.address}/plain:1`;
      const bad: readonly [string, string][] = [
        ["container_name", `services: { a: { image: "${image}", container_name: "../../../x" } }`],
        ["network name", `services: { a: { image: "${image}", networks: [n] } }\nnetworks: { n: { name: "../x" } }`],
        [
          "network name in a conflist",
          `services: { a: { image: "${image}", networks: [n] } }\nnetworks: { n: { name: "x\\",\\"plugins\\":[{\\"type\\":\\"evil\\"}],\\"y\\":\\"" } }`,
        ],
        [
          "volume name",
          `services: { a: { image: "${image}", volumes: ["v:/v"] } }\nvolumes: { v: { name: "../../x" } }`,
        ],
        [
          "alias with a line break",
          `services: { a: { image: "${image}", networks: { default: { aliases: ["x\\n10.0.0.1 evil"] } } } }`,
        ],
        [
          "alias with a comma",
          `services: { a: { image: "${image}", networks: { default: { aliases: ["x,y evil"] } } } }`,
        ],
        ["host name", `services: { a: { image: "${image}", hostname: "x\\n1.2.3.4 evil" } }`],
        ["extra host", `services: { a: { image: "${image}", extra_hosts: ["x\\n6.6.6.6 evil:1.2.3.4"] } }`],
        ["name server", `services: { a: { image: "${image}", dns: ["1.1.1.1\\noptions evil"] } }`],
        ["search domain", `services: { a: { image: "${image}", dns_search: ["x\\nnameserver 6.6.6.6"] } }`],
        ["mount option", `services: { a: { image: "${image}", tmpfs: ["/t:size=1m,lowerdir=/etc,mode=0777\\nx"] } }`],
        [
          "driver option",
          `services: { a: { image: "${image}", volumes: ["v:/v"] } }\nvolumes: { v: { driver_opts: { type: none, device: "/etc", o: "bind,../x\\n" } } }`,
        ],
      ];
      const found: { name: string; code: boolean; errors: boolean; internal: boolean; out: string }[] = [];
      for (const [name, yaml] of bad) {
        const folder = host.project("names", { "compose.yaml": yaml });
        const result = await host.run(folder, ["up", "-d"]);
        const errors: string[] = result.stderr.match(/error\[TSC_[A-Z_]+\]/g) ?? [];
        found.push({
          name,
          code: result.code !== 0,
          errors: errors.length > 0,
          internal: errors.includes("error[TSC_INTERNAL]") || /\n\s+at /.test(result.stderr),
          out: result.stderr.slice(-300),
        });
        await host.run(folder, ["down", "-v", "-t", "0"]);
      }
      expect(found.filter(({ code, errors, internal }) => !code || !errors || internal)).toEqual([]);
      expect(readdirSync(host.folder).filter((entry) => !["projects", "store", "run"].includes(entry))).toEqual([]);
    }),
    90_000,
  );

  check(
    "control characters in logs reach a terminal only as docker shows them, never in names or errors",
    onHost("user", async (host) => {
      const result = await run(host, "plain", [], ["sh", "-c", "echo fine; exit 3"], "    command: ['x']\n");
      expect(result).toMatchObject({ code: 3, stdout: "fine\n" });
      const missing = await run(host, "plain", [], ["\u001b]0;title\u0007\u001b[2Jnothing"]);
      expect(missing.code).not.toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(missing.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
    60_000,
  );
});
