/** Confinement that would be left out, and host programs that a compose file would run: refused, or there for every process of a container. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { CGROUPS_READ_ONLY, runAfterMounts } from "../../helpers/hide.js";
import { eventually, isRoot, type Mode, onHost, type TestHost, TSCOMPOSE } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];

const registry = busyboxRegistry();

/** The folder of a crun that leaves a part of config.json out, as one that was built without it does. */
function runtimeWithout(host: TestHost, strip: string): string {
  const bin = mkdtempSync(join(host.folder, "bin-"));
  // unlimited is more than a number of JavaScript holds
  writeFileSync(
    join(bin, "crun"),
    `#!/bin/sh\nfor w; do [ "$p" = --bundle ] && b=$w; p=$w; done\n[ -z "$b" ] || ${process.execPath} -e 'const f=require("fs"),p=process.argv[1]+"/config.json",c=JSON.parse(f.readFileSync(p,"utf8"));${strip};delete c.annotations;f.writeFileSync(p,JSON.stringify(c).replaceAll("18446744073709552000","18446744073709551615"))' "$b"\nexec /usr/bin/crun "$@"\n`,
  );
  chmodSync(join(bin, "crun"), 0o755);
  chmodSync(bin, 0o755);
  return bin;
}

describe.each(modes)("consent, %s", (mode) => {
  check(
    "neither `runtime:` nor `provider:` runs a program of the project or of the host",
    onHost(mode, async (host) => {
      const mark = join(host.folder, "projects/consent/ran");
      const evil = `#!/bin/sh\necho ran > ${mark}\n`;
      const folder = host.project("consent", { evil, crun: evil, compose: evil });
      for (const name of ["evil", "crun", "compose"]) chmodSync(join(folder, name), 0o755);
      const image = `image: "${registry.address}/busybox:1", network_mode: none, command: "true"`;
      for (const runtime of [join(folder, "crun"), "./evil", "sh"]) {
        writeFileSync(join(folder, "compose.yaml"), `services: { a: { ${image}, runtime: "${runtime}" } }\n`);
        const result = await host.run(folder, ["up", "-d"]);
        expect({ runtime, code: result.code, stderr: result.stderr }).toMatchObject({
          runtime,
          code: 1,
          stderr: expect.stringContaining("TSC_RUNTIME_UNKNOWN"),
        });
      }
      for (const type of [join(folder, "evil"), "sh", "evil"]) {
        writeFileSync(join(folder, "compose.yaml"), `services: { a: { provider: { type: "${type}" } } }\n`);
        writeFileSync(join(folder, ".env"), `TSCOMPOSE_PROVIDERS=${type}\nPATH=${folder}\n`);
        const result = await host.run(folder, ["up", "-d"], { env: { PATH: `.:${host.env["PATH"]}` } });
        expect({ type, stderr: result.stderr }).toEqual({
          type,
          stderr: expect.stringContaining("TSC_PROVIDER_NOT_FOUND"),
        });
      }
      expect(existsSync(mark)).toBe(false);
      writeFileSync(join(folder, "compose.yaml"), "services: {}\n");
    }),
    120_000,
  );

  check(
    "a RUN step gets the host's network or every capability by no word of the Dockerfile",
    onHost(mode, async (host) => {
      const folder = host.project("grants", {});
      for (const [flag, name] of [
        ["--network=host", "network.host"],
        ["--security=insecure", "security.insecure"],
      ]) {
        const inline = `FROM ${registry.address}/busybox:1\\nRUN ${flag} true`;
        writeFileSync(
          join(folder, "compose.yaml"),
          `services: { a: { build: { context: ., dockerfile_inline: "${inline}" } } }\n`,
        );
        const { code, stderr } = await host.run(folder, ["build"]);
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${name} is not allowed`) });
        expect(stderr).toContain("TSC_BUILD_ENTITLEMENT");
      }
    }),
    60_000,
  );

  check(
    "a seccomp profile that has no end, no writer or secrets in it is refused, and nothing of it is told",
    onHost(mode, async (host) => {
      const folder = host.project("profiles", { key: "topsecret-key\n" });
      execFileSync("mkfifo", [join(folder, "fifo")]);
      const image = `image: "${registry.address}/busybox:1", network_mode: none, command: "true"`;
      for (const profile of ["/dev/zero", join(folder, "fifo"), join(folder, "key")]) {
        writeFileSync(
          join(folder, "compose.yaml"),
          `services: { a: { ${image}, security_opt: ["seccomp=${profile}"] } }\n`,
        );
        const { stdout, stderr } = await host.run(folder, ["up", "-d"]);
        expect(stderr).toContain("TSC_SECCOMP_INVALID");
        expect(stdout + stderr).not.toContain("topsecret");
        await host.run(folder, ["down"]);
      }
    }),
    120_000,
  );

  check(
    "a runtime that leaves the seccomp profile out is refused before anything runs",
    onHost(mode, async (host) => {
      const image = `image: "${registry.address}/busybox:1", network_mode: none, command: touch /v/ran`;
      const folder = host.project("seccomp", {
        "compose.yaml": `services:\n  a: { ${image}, volumes: [".:/v"] }\n  locked: { ${image}, volumes: [".:/v"], security_opt: ["no-new-privileges:true"] }\n`,
      });
      const bin = runtimeWithout(host, "if (c.linux) delete c.linux.seccomp");
      for (const service of ["a", "locked"]) {
        const text = `services: { ${service}: { runtime: crun } }`;
        writeFileSync(join(folder, "more.yaml"), text);
        const args = ["-f", "compose.yaml", "-f", "more.yaml", "up", "-d", service];
        const result = await host.run(folder, args, { env: { TSCOMPOSE_RUNTIMES: `crun=${bin}/crun` } });
        expect({ service, code: result.code, stderr: result.stderr }).toMatchObject({
          service,
          code: 1,
          stderr: expect.stringContaining("TSC_SECCOMP_MISSING"),
        });
      }
      expect(existsSync(join(folder, "ran"))).toBe(false);
      // under another name nothing is known of what it does: it is told (cgroup2, which root's crun refuses beside v1, is hidden for crun only)
      if (mode === "root") return;
      renameSync(join(bin, "crun"), join(bin, "crun-1.99"));
      const odd = await host.run(folder, ["-f", "compose.yaml", "-f", "more.yaml", "up", "-d", "locked"], {
        env: { TSCOMPOSE_RUNTIMES: `crun=${bin}/crun-1.99` },
      });
      expect(odd.stderr).toContain("whether crun-1.99 applies the seccomp profile cannot be seen from here");
    }),
    120_000,
  );

  check(
    "a runtime that leaves a path of /proc or /sys open is refused before anything runs",
    onHost(mode, async (host) => {
      const folder = host.project("masks", {
        "compose.yaml": `services: { a: { image: "${registry.address}/busybox:1", network_mode: none, runtime: crun, command: touch /v/ran, volumes: [".:/v"] } }`,
      });
      for (const [strip, path] of [
        ["c.linux.maskedPaths=[]", "/proc/"],
        ['c.linux.maskedPaths=c.linux.maskedPaths.filter((p)=>p!=="/proc/interrupts")', "/proc/interrupts"],
        ["c.linux.readonlyPaths=[]", "/proc/"],
        ['c.linux.readonlyPaths=c.linux.readonlyPaths.filter((p)=>p!=="/proc/sys")', "/proc/sys"],
      ] as const) {
        const bin = runtimeWithout(host, `if (c.linux) ${strip}`);
        const result = await host.run(folder, ["up", "-d"], { env: { TSCOMPOSE_RUNTIMES: `crun=${bin}/crun` } });
        expect(result).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(`TSC_MASK_MISSING.*container masks-a-1: crun left ${path}`),
        });
      }
      expect(existsSync(join(folder, "ran"))).toBe(false);
      const open = "services: { a: { security_opt: [systempaths=unconfined] } }";
      writeFileSync(join(folder, "open.yaml"), open);
      await host.must(folder, "-f", "compose.yaml", "-f", "open.yaml", "up", "-d");
    }),
    120_000,
  );

  check(
    "limits that this host cannot give are told by name, each; those not asked for by doctor and info",
    onHost(mode, async (host) => {
      const limits =
        "mem_limit: 64m, mem_reservation: 32m, memswap_limit: 128m, mem_swappiness: 10, pids_limit: 50, cpus: 0.5, cpu_shares: 512, cpuset: '0', blkio_config: { weight: 300 }";
      const image = `image: "${registry.address}/busybox:1", network_mode: none, command: "true"`;
      const folder = host.project("limits", {
        "compose.yaml": `services: { asked: { ${image}, ${limits} }, other: { ${image} } }`,
      });
      const up = (service: string) => runAfterMounts(host, folder, CGROUPS_READ_ONLY, [TSCOMPOSE, "up", "-d", service]);
      const asked = await up("asked");
      const names = [
        "mem_limit",
        "mem_reservation",
        "memswap_limit",
        "mem_swappiness",
        "pids_limit",
        "cpus",
        "cpu_shares",
      ];
      for (const name of [...names, "cpuset", "blkio_config.weight"])
        expect(asked.stderr).toContain(`container limits-asked-1: ${name} cannot be honoured here: `);
      expect((await up("other")).stderr).not.toContain("cannot be honoured");
      const info = await runAfterMounts(host, folder, CGROUPS_READ_ONLY, [TSCOMPOSE, "info"]);
      expect(info.stdout + info.stderr).toContain("no resource limits: ");
    }),
    120_000,
  );

  check(
    "exec and health checks are as confined as the container, also when a filter was compiled before",
    onHost(mode, async (host) => {
      const service = (runtime: string) =>
        `{ image: "${registry.address}/busybox:1", network_mode: none, init: true, command: sleep 1000, runtime: ${runtime}, stop_grace_period: 0s, security_opt: ["no-new-privileges:true"], healthcheck: { test: "grep -E 'Seccomp:|NoNewPrivs|CapInh' /proc/self/status > /health", interval: 1s } }`;
      const names = mode === "root" ? ["crun", "runc"] : ["crun"];
      const folder = host.project("exec", {
        "compose.yaml": `services: { ${names.flatMap((name) => [`${name}: ${service(name)}`, `${name}2: ${service(name)}`]).join(", ")} }`,
      });
      await host.must(folder, "up", "-d");
      for (const name of names.flatMap((each) => [each, `${each}2`])) {
        const lines = /CapInh:\s0+\nNoNewPrivs:\s1\nSeccomp:\s2/;
        const ask = ["exec", "-T", name, "grep", "-E", "Seccomp:|NoNewPrivs|CapInh", "/proc/self/status"];
        expect(await host.must(folder, ...ask)).toMatch(lines);
        await eventually(async () =>
          lines.test((await host.run(folder, ["exec", "-T", name, "cat", "/health"])).stdout),
        );
        if (mode === "root") {
          const limit = await host.must(
            folder,
            "exec",
            "-T",
            name,
            "sh",
            "-c",
            "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max",
          );
          expect(limit.trim()).toBe("2048");
        }
      }
    }),
    120_000,
  );
});

describe.each(modes)("doctor --security, %s", (mode) => {
  check(
    "says what this machine gives, and what it lacks without cgroups",
    onHost(mode, async (host) => {
      const folder = host.project("doctor", {});
      const text = (await host.run(folder, ["doctor", "--security"])).stdout;
      expect(text).toMatch(/^ok {8}seccomp: yes/m);
      expect(text).toMatch(mode === "user" ? /device filter: by the user namespace/ : /device filter: by cgroup/);
      const argv = [TSCOMPOSE, "doctor", "--security", "--json"];
      const without = await runAfterMounts(host, folder, CGROUPS_READ_ONLY, argv);
      expect(without.code).toBe(1);
      const findings = JSON.parse(without.stdout) as { name: string; state: string; advice?: string }[];
      const states = Object.fromEntries(findings.map(({ name, state }) => [name, state]));
      expect(states).toMatchObject({
        seccomp: "ok",
        "pids limit": "missing",
        "resource limits": "missing",
        "device filter": mode === "user" ? "ok" : "missing",
      });
      expect(findings.every(({ state, advice }) => (state === "ok") === (advice === undefined))).toBe(true);
    }),
    60_000,
  );
});
