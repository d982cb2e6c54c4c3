/** Nothing of the calling shell's process state reaches containers, images, volumes or folders made for bind mounts. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { eventually, isRoot, type Mode, onHost, type Result, type TestHost, TSCOMPOSE } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];
const registry = busyboxRegistry();
const TIMEOUT_MS = 240_000;

/** Runs the program from a shell that did `before` first. */
const from = (host: TestHost, cwd: string, before: string, ...args: string[]): Promise<Result> =>
  host.exec(cwd, ["bash", "-c", `${before}; exec "$0" "$@"`, TSCOMPOSE, ...args]);

async function must(host: TestHost, cwd: string, before: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await from(host, cwd, before, ...args);
  if (code !== 0) throw new Error(`${args.join(" ")} exited ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

const sleeper = (seconds: number): Promise<number> =>
  eventually(
    () =>
      readdirSync("/proc").flatMap((pid) => {
        try {
          const argv = readFileSync(`/proc/${Number(pid)}/cmdline`, "utf8");
          return argv === `sleep\0${seconds}\0` ? [Number(pid)] : [];
        } catch {
          return [];
        }
      })[0],
  );

/** What a process has inherited, as its /proc says. */
function inherited(pid: number): Record<string, unknown> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const line = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return {
    umask: line("Umask"),
    ignored: line("SigIgn"),
    blocked: line("SigBlk"),
    processors: line("Cpus_allowed_list"),
    limits: readFileSync(`/proc/${pid}/limits`, "utf8"),
    nice: stat[16],
    policy: stat[38],
    score: readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim(),
    descriptors: readdirSync(`/proc/${pid}/fd`)
      .filter((fd) => Number(fd) > 2)
      .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
    environment: readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((entry) => entry.split("=")[0])
      .sort(),
  };
}

describe.each(modes)("as %s", (mode) => {
  check(
    "limits, priority, affinity, signals, descriptors and environment of a container are those of a fresh shell",
    onHost(mode, async (host) => {
      const seconds = { clean: 71_000 + (process.pid % 1000) * 2, leaky: 71_001 + (process.pid % 1000) * 2 };
      const folder = host.project("leaks", {
        "compose.yaml": `services:${Object.entries(seconds)
          .map(
            ([name, time]) =>
              `\n  ${name}: { image: "${registry.image}", command: sleep ${time}, stop_grace_period: 0s }`,
          )
          .join("")}\n`,
      });
      await must(host, folder, "true", "up", "-d", "clean");
      const shell = [
        "umask 077",
        "ulimit -S -n 128; ulimit -S -c 0; ulimit -S -s 1024; ulimit -S -u 3000; ulimit -S -f 4000000",
        "trap '' HUP PIPE INT QUIT USR1 TERM",
        "exec 9</etc/passwd 77</etc/group",
        "export SECRET_OF_SHELL=1",
        "taskset -p -c 0 $$ >/dev/null; ionice -c 3 -p $$; echo 300 > /proc/$$/oom_score_adj",
        // what only root may take back is root's alone to test
        ...(mode === "root" ? ["renice -n 7 $$ >/dev/null"] : []),
      ].join("; ");
      await must(host, folder, shell, "up", "-d", "leaky");
      const clean = inherited(await sleeper(seconds.clean));
      expect(inherited(await sleeper(seconds.leaky))).toEqual(clean);
      expect(clean).toMatchObject({
        umask: "0022",
        ignored: "0000000000000000",
        nice: "0",
        policy: "0",
        descriptors: [],
      });
      const self = ["cat", "/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj"];
      const facts = (text: string): string[] =>
        text.split("\n").filter((line) => /^(Umask|Sig(Ign|Blk)|Cpus_allowed|Max |-?\d+$)/.test(line));
      const fresh = facts(await must(host, folder, "true", "exec", "-T", "clean", ...self));
      expect(facts(await must(host, folder, shell, "exec", "-T", "clean", ...self))).toEqual(fresh);
      expect(fresh).toContain("Umask:\t0022");
    }),
    TIMEOUT_MS,
  );

  check.each(["027", "077"])(
    "umask %s of the shell spoils nothing",
    async (umask) => {
      await onHost(mode, async (host) => {
        const stats = "stat -c '%a %n' /f /g /newdir /rundir /runfile";
        const folder = host.project("umask", {
          f: "f\n",
          "sec.txt": "secret\n",
          Dockerfile: `FROM ${registry.image}
COPY f /f
ADD f /g
WORKDIR /newdir
RUN umask > /umask; mkdir /rundir; echo x > /runfile
USER 1000
CMD cat /umask; ${stats}
`,
          "compose.yaml": `
services:
  built: { build: ., stop_grace_period: 0s, profiles: [once] }
  u:
    image: "${registry.image}"
    user: "1000"
    init: true
    stop_grace_period: 0s
    command: sleep 1000
    configs: [{ source: c, target: /cfg }]
    secrets: [sec]
    volumes: ["./made:/made", "kept:/v"]
  again:
    image: "${registry.image}"
    user: "1000"
    restart: always
    stop_grace_period: 0s
    command: sh -c "cat /etc/hosts /etc/resolv.conf > /dev/null && echo readable; sleep 1"
  copied: { build: ., command: ["stat", "-c", "%a", "/rundir"], volumes: ["filled:/rundir"], profiles: [once] }
configs: { c: { content: "x" } }
secrets: { sec: { file: ./sec.txt } }
volumes: { kept: {}, filled: {} }
`,
        });
        const before = `umask ${umask}`;
        await must(host, folder, before, "up", "-d", "--quiet-pull");
        // everything that a container's user must read
        await must(
          host,
          folder,
          before,
          "exec",
          "-T",
          "u",
          "cat",
          "/etc/hosts",
          "/etc/resolv.conf",
          "/cfg",
          "/run/secrets/sec",
        );
        expect(statSync(join(folder, "made")).mode & 0o777).toBe(0o755);
        const made = "echo > /tmp/new; echo > /v/new; echo > /made/new; stat -c %a /tmp/new /v /v/new /made/new";
        expect(await must(host, folder, before, "exec", "-T", "-u", "0", "u", "sh", "-c", made)).toBe(
          "644\n755\n644\n644\n",
        );
        await must(host, folder, before, "cp", "f", "u:/copied");
        expect(await must(host, folder, before, "exec", "-T", "u", "cat", "/copied")).toBe("f\n");
        await must(host, folder, before, "--profile", "once", "build", "built", "copied");
        const words = await must(host, folder, before, "run", "--rm", "-T", "built");
        expect(words).toBe("0022\n644 /f\n644 /g\n755 /newdir\n755 /rundir\n644 /runfile\n");
        expect(await must(host, folder, before, "run", "--rm", "-T", "copied")).toBe("755\n");
        // started again by the supervisor
        await eventually(
          async () => (await host.must(folder, "logs", "--no-log-prefix", "again")).split("readable").length > 2,
        );
        expect(await host.must(folder, "logs", "again")).not.toContain("denied");
        // what the person asked for by name is the person's
        await must(host, folder, before, "config", "-o", "config.yaml");
        expect(statSync(join(folder, "config.yaml")).mode & 0o777).toBe(0o666 & ~Number.parseInt(umask, 8));
      })();
    },
    TIMEOUT_MS,
  );

  check(
    "a folder that is gone is told; what needs none works",
    onHost(mode, async (host) => {
      const folder = host.project("gone", {});
      const { code, stderr } = await from(
        host,
        folder,
        "mkdir deleted; cd deleted; rmdir ../deleted",
        "version",
        "--short",
      );
      expect(code).toBe(0);
      expect(stderr).toMatch(/^tscompose: warning: the current folder is gone; working in \/$/m);
      expect(stderr).not.toContain("    at ");
    }),
    TIMEOUT_MS,
  );

  check(
    "descriptors that are named reach the command, and closed standard streams become nobody's file",
    onHost(mode, async (host) => {
      const folder = host.project("descriptors", { "a.yaml": `services: { a: { image: one } }\n` });
      const named = await from(host, folder, "exec 9<a.yaml", "-f", "/dev/fd/9", "config", "--images");
      expect(named).toMatchObject({ code: 0, stdout: "one\n" });
      const closed = await from(host, folder, "exec 0<&-", "-f", "a.yaml", "config", "--images");
      expect(closed).toMatchObject({ code: 0, stdout: "one\n" });
    }),
    TIMEOUT_MS,
  );
});
