/**
 * A hostile container makes processes of any name, command line and file. None of them may be taken for one of ours: the launcher would join
 * its namespaces and run files of the container as the user.
 */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { eventually, isRoot, type Mode, onHost, REPOSITORY, type TestHost } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];
const registry = busyboxRegistry();
const TIMEOUT_MS = 120_000;

/** A container that calls its process `name` with `argument`, and has files of its own where ours are. */
const evil = (name: string, argument: string): string => {
  const node = join(REPOSITORY, "node_modules/node/bin");
  const script = [
    `mkdir -p ${node} ${join(REPOSITORY, "native/build")} ${join(REPOSITORY, "dist")}`,
    `printf '#!/bin/sh\\necho TAKEN; id -u\\n' > ${node}/node`,
    `printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' > /${name}`,
    `chmod 755 ${node}/node /${name}`,
    `cp ${node}/node ${join(REPOSITORY, "native/build/tsc-pause")}`,
    `exec /${name} ${argument}`,
  ];
  return `
  evil:
    image: "${registry.image}"
    stop_grace_period: 0s
    command: ["sh", "-c", ${JSON.stringify(script.join("; "))}]
`;
};

const good = (): string => `
  good: { image: "${registry.image}", command: sleep 1000, init: true, stop_grace_period: 0s }
`;

interface Seen {
  readonly pid: number;
  readonly comm: string;
  readonly argv: readonly string[];
  readonly exe: string;
}

function processes(): Seen[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const argv = readFileSync(`/proc/${Number(name)}/cmdline`, "utf8").split("\0");
      const comm = readFileSync(`/proc/${name}/comm`, "utf8").trim();
      return [{ pid: Number(name), comm, argv, exe: readlinkSync(`/proc/${name}/exe`) }];
    } catch {
      return [];
    }
  });
}

/** The forged process, when it has begun. */
const forged = (host: TestHost, name: string): Promise<number> =>
  eventually(
    () => processes().find(({ comm, argv }) => comm === name && argv[1] === `/${name}` && mentions(argv, host))?.pid,
  );

const mentions = (argv: readonly string[], host: TestHost): boolean => argv.some((word) => word.includes(host.folder));

const ours = (host: TestHost, program: string): number[] =>
  processes()
    .filter(({ exe, argv }) => exe.split("/").at(-1) === program && mentions(argv, host))
    .map(({ pid }) => pid);

async function kill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await eventually(() => processes().every(({ pid }) => !pids.includes(pid)));
}

const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")[19] ?? "";

/** What a record of a process says, all of it true but what is given. */
function record(pid: number, facts: { start?: string; exe?: string } = {}): string {
  const { dev, ino } = statSync(facts.exe ?? `/proc/${pid}/exe`, { bigint: true });
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${pid} ${facts.start ?? startOf(pid)} ${dev}:${ino} ${boot}\n`;
}

const states = async (host: TestHost, folder: string): Promise<string> => {
  const { code, stdout, stderr } = await host.run(folder, ["ps", "-a", "--format", "{{.Service}} {{.State}}"]);
  return `${code} ${stdout.trim().split("\n").sort().join(", ")} ${stderr.trim()}`.trim();
};

describe("a process of a container that calls itself conmon, with our run root on its command line", () => {
  check(
    "is not taken for the holder of the namespaces, whatever its pid; a recorded conmon is",
    onHost("user", async (host) => {
      const folder = host.project("lower", {
        "compose.yaml": `services:${evil("conmon", `${host.folder}/run/`)}${good()}`,
      });
      await host.must(folder, "up", "-d", "evil");
      const attacker = await forged(host, "conmon");
      // the attacker's pid is now lower than that of every conmon, as after a wrap
      await kill(ours(host, "conmon"));
      await host.must(folder, "up", "-d", "good");
      expect(Math.min(...ours(host, "conmon"))).toBeGreaterThan(attacker);
      await host.endNamespaces();
      const { stdout, stderr } = await host.run(folder, ["ps", "-a", "--format", "{{.Service}} {{.State}}"]);
      expect(stdout.trim().split("\n").sort()).toEqual(["evil running", "good running"]);
      expect(stderr).toContain("runs on without its monitor");
    }),
    TIMEOUT_MS,
  );

  check(
    "is not joined when nothing of ours is left; what runs is named, and ended by hand the next command cleans up",
    onHost("user", async (host) => {
      const folder = host.project("alone", { "compose.yaml": `services:${evil("conmon", `${host.folder}/run/`)}` });
      await host.must(folder, "up", "-d");
      const attacker = await forged(host, "conmon");
      await kill(ours(host, "conmon"));
      await host.endNamespaces();
      const refused = await host.run(folder, ["ps"]);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toMatch(
        /^error\[TSC_NAMESPACE_LOST\]: containers run in namespaces that no process of ours holds/,
      );
      expect(refused.stderr).toContain(`(pid ${attacker})`);
      expect(refused.stderr).toContain(`kill -9 ${attacker}`);
      await kill([attacker]);
      expect(await states(host, folder)).toMatch(/^0 evil exited/);
    }),
    TIMEOUT_MS,
  );

  check(
    "is not found in an emptied run root: the store knows the real ones",
    onHost("user", async (host) => {
      const folder = host.project("emptied", {
        "compose.yaml": `services:${evil("conmon", `${host.folder}/run/`)}${good()}`,
      });
      await host.must(folder, "up", "-d", "evil");
      await forged(host, "conmon");
      await kill(ours(host, "conmon"));
      await host.must(folder, "up", "-d", "good");
      await host.endNamespaces();
      rmSync(join(host.folder, "run/pause.pid"), { force: true });
      rmSync(join(host.folder, "run/supervise"), { recursive: true, force: true });
      const { code, stdout } = await host.run(folder, ["ps", "-q"]);
      expect({ code, lines: stdout.trim().split("\n").length, taken: stdout.includes("TAKEN") }).toEqual({
        code: 0,
        lines: 2,
        taken: false,
      });
    }),
    TIMEOUT_MS,
  );
});

describe.each(["pause.pid", "supervise/.lock"])("a forged %s", (file) => {
  check(
    "leads into no container: not by a bare pid, a reused one, another file, nor one that is true but for where the process lives",
    onHost("user", async (host) => {
      const folder = host.project("forged", {
        "compose.yaml": `services:${evil("tsc-supd", `${host.folder}/run/supervise`)}${good()}`,
      });
      await host.must(folder, "up", "-d");
      const attacker = await forged(host, "tsc-supd");
      const path = join(host.folder, "run", file);
      const { uid, gid } = statSync(join(host.folder, "run"));
      const texts = [
        `${attacker}\n`,
        `${attacker} ${startOf(attacker)}\n`,
        record(attacker, {
          start: String(Number(startOf(attacker)) - 1),
          exe: join(REPOSITORY, "native/build/tsc-supd"),
        }),
        record(attacker, { exe: join(REPOSITORY, "native/build/tsc-supd") }),
        record(attacker),
      ];
      for (const text of texts) {
        await kill(ours(host, "tsc-supd"));
        await host.endNamespaces();
        rmSync(join(host.folder, "run/pause.pid"), { force: true });
        rmSync(join(host.folder, "run/supervise"), { recursive: true, force: true });
        await host.exec("/", ["mkdir", "-p", "-m", "700", join(host.folder, "run/supervise")]);
        await host.exec("/", ["sh", "-c", `umask 077; printf '%s' "$0" > ${path}`, text]);
        expect(statSync(path)).toMatchObject({ uid, gid });
        expect(await states(host, folder)).toBe("0 evil running, good running");
      }
    }),
    TIMEOUT_MS,
  );
});

describe.each(modes)("as %s", (mode) => {
  check(
    "a container's process is not taken for the supervisor: a real one is started",
    onHost(mode, async (host) => {
      const folder = host.project("supervised", {
        "compose.yaml": `services:${evil("tsc-supd", `${host.folder}/run/supervise`)}
  watched: { image: "${registry.image}", command: sleep 1000, init: true, restart: always, stop_grace_period: 0s }
`,
      });
      await host.must(folder, "up", "-d");
      const attacker = await forged(host, "tsc-supd");
      await kill(ours(host, "tsc-supd"));
      writeFileSync(join(host.folder, "run/supervise/.lock"), `${attacker}\n`);
      await host.must(folder, "ps");
      await eventually(() => ours(host, "tsc-supd").length === 1);
    }),
    TIMEOUT_MS,
  );
});

/** Stands before crun: ends the process whose namespaces are about to be joined, and gives its pid to one of the host's. */
const REUSING = `#!/bin/sh
previous= bundle= create=
for word; do
  [ "$previous" = --bundle ] || [ "$previous" = -b ] && bundle=$word
  [ "$word" = create ] && create=1
  previous=$word
done
if [ "$create" = 1 ]; then
  pid=$(grep -o '/proc/[0-9]*/ns' "$bundle/config.json" | head -n 1 | cut -d / -f 3)
  kill -9 $pid
  while [ -e /proc/$pid ]; do sleep 0.02; done
  for round in $(seq 200); do
    echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
    sleep 600 &
    [ $! = $pid ] && { echo $pid > "$0.pid"; break; }
    kill -9 $!
  done </dev/null >/dev/null 2>&1
fi
exec /usr/bin/crun "$@"
`;

const reusedPid = (key: string) =>
  onHost("root", async (host) => {
    const folder = host.project("reused", {
      "compose.yaml": `services:
  donor: { image: "${registry.image}", command: sleep 1000, init: true, ipc: shareable, stop_grace_period: 0s }
  joiner:
    image: "${registry.image}"
    runtime: slow
    ${key}: "service:donor"
    command: ["sh", "-c", "for n in net pid ipc; do readlink /proc/self/ns/$$n; done; sleep 1000"]
    stop_grace_period: 0s
`,
      "bin/crun": REUSING,
    });
    const program = join(folder, "bin/crun");
    chmodSync(program, 0o755);
    await host.must(folder, "up", "-d", "donor");
    const started = await host.run(folder, ["up", "-d", "--no-deps", "joiner"], {
      env: { TSCOMPOSE_RUNTIMES: `slow=${program}` },
    });
    // on a busy machine another process may have had the pid first
    const reused = existsSync(`${program}.pid`) ? Number(readFileSync(`${program}.pid`, "utf8")) : undefined;
    try {
      expect(await states(host, folder)).toMatch(/donor exited.*joiner created/);
      expect(started.stderr).toMatch(/joins namespaces of container .*donor.*, which is not running/);
    } finally {
      if (reused !== undefined) process.kill(reused, "SIGKILL");
    }
  });

describe("a container that joins the namespaces of one that ends meanwhile", () => {
  check.each(["network_mode", "pid", "ipc"])(
    "does not get the host's through its pid, which another process has by then (%s)",
    (key) => reusedPid(key)(),
    TIMEOUT_MS,
  );
});
