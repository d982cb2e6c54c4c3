/**
 * Verbs in broken environments: no stack trace, no internal error, no failure without a word. Each environment plays a few verbs, all of
 * them once over the file; TSCOMPOSE_ENVIRONMENTS=all plays every verb in every one (about half an hour).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { commandTable } from "../../src/cli/table.js";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { onHost, type Result, type TestHost, TSCOMPOSE } from "../helpers/host.js";
import { verbCalls, verbsProject } from "../helpers/verbs.js";
import { check } from "./support.js";

const registry = busyboxRegistry();

interface Environment {
  /** Shell lines before the command. */
  readonly shell?: string;
  /** They need a mount namespace of their own. */
  readonly mounts?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Nobody can be told anything. */
  readonly mute?: boolean;
}

const environments = (host: TestHost, folder: string): Readonly<Record<string, Environment>> => {
  const store = join(host.folder, "store");
  const copied = `d=$(mktemp -d); cp ${folder}/compose.yaml $d; cd $d`;
  const config = (name: string) => ({ DOCKER_CONFIG: join(folder, name) });
  return {
    "no HOME": { shell: "unset HOME" },
    "a HOME that is gone": { env: { HOME: "/nonexistent" } },
    "a HOME that is a file": { env: { HOME: "/etc/passwd" } },
    "a relative HOME": { env: { HOME: "here" } },
    "a TMPDIR that is gone": { env: { TMPDIR: "/nonexistent" } },
    "a TMPDIR that is a file": { env: { TMPDIR: "/etc/passwd" } },
    "a full /var/tmp and TMPDIR": {
      shell: "mount -t tmpfs -o size=4k,nr_inodes=2 none /var/tmp; : >/var/tmp/x 2>/dev/null; export TMPDIR=/var/tmp",
      mounts: true,
    },
    "no PATH": { env: { PATH: "/nonexistent" } },
    "closed input": { shell: "exec <&-" },
    "closed output": { shell: "exec >&-" },
    "closed errors": { shell: "exec 2>&-", mute: true },
    "all closed": { shell: "exec <&- >&- 2>&-", mute: true },
    "full output": { shell: "exec >/dev/full" },
    "full errors": { shell: "exec 2>/dev/full", mute: true },
    "a folder as input": { shell: "exec </" },
    "a working directory that is gone": { shell: `${copied}; rm -r $d` },
    "a working directory that cannot be read": { shell: `${copied}; chmod 0 $d` },
    "an odd locale, terminal and time zone": {
      env: { LC_ALL: "xx_YY.klingon", LANG: "tr_TR.UTF-8", TERM: "nothing", COLUMNS: "0", TZ: "Nowhere/At_All" },
    },
    "a PWD that lies": { env: { PWD: "/etc/passwd/x" } },
    "few descriptors": { shell: "ulimit -n 24" },
    "no file sizes": { shell: "ulimit -f 0" },
    "a store that is a file": { env: { TSCOMPOSE_ROOT: "/etc/passwd" } },
    "a store below a file": { env: { TSCOMPOSE_ROOT: "/etc/passwd/x" } },
    "a run root that is a file": { env: { TSCOMPOSE_RUN_ROOT: "/etc/passwd" } },
    "a store that is read-only": {
      shell: `mount --bind ${store} ${store}; mount -o remount,ro,bind ${store}`,
      mounts: true,
    },
    "no /proc": { shell: "mount -t tmpfs none /proc", mounts: true },
    "no /sys": { shell: "mount -t tmpfs none /sys", mounts: true },
    "an empty /etc": { shell: "mount -t tmpfs none /etc", mounts: true },
    "a credential helper that is missing": { env: config("missing") },
    "a credential helper that cannot run": { env: { ...config("bad"), PATH: `${folder}/bin:${process.env["PATH"]}` } },
    "a client configuration that is broken": { env: config("broken") },
    "a client configuration that is a folder": { env: config("folder") },
    "registries.conf that is a folder": { env: { CONTAINERS_REGISTRIES_CONF: "/etc" } },
    "an env file that is a folder": { env: { COMPOSE_ENV_FILES: "/etc" } },
    "a compose file that is a folder": { env: { COMPOSE_FILE: "/etc" } },
    "limits that are no numbers": {
      env: { COMPOSE_PARALLEL_LIMIT: "-1", COMPOSE_HTTP_TIMEOUT: "x", COMPOSE_ANSI: "x" },
    },
  };
};

/** Undefined when it was answered, or refused with words of ours. */
function fault({ code, stdout, stderr }: Result, mute: boolean): string | undefined {
  if (/TSC_INTERNAL|^\s+at \S+ \(|node:internal|fault of tscompose/m.test(stderr + stdout.slice(0, 20_000)))
    return "an internal error";
  if (code > 128 && code !== 130 && code !== 141) return `ended by a signal or hung (${code})`;
  return code !== 0 && stderr === "" && stdout === "" && !mute ? "failed without a word" : undefined;
}

test("every verb is played", () => {
  expect(Object.keys(verbCalls("x")).toSorted()).toEqual(commandTable.map(({ name }) => name).toSorted());
});

check(
  "no environment ends a verb with a stack trace, an internal error or silence",
  onHost("root", async (host) => {
    const folder = host.project("app", verbsProject(registry.image));
    for (const [name, text] of Object.entries({
      missing: '{"credsStore":"missing"}',
      bad: '{"credsStore":"bad"}',
      broken: "{",
    })) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "config.json"), text);
    }
    mkdirSync(join(folder, "folder/config.json"), { recursive: true });
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/docker-credential-bad"), "\0no program", { mode: 0o755 });
    await host.must(folder, "up", "-d");
    const broken = Object.entries(environments(host, folder));
    const calls = Object.entries(verbCalls(registry.image)).filter(([verb]) => verb !== "system reset");
    const all = process.env["TSCOMPOSE_ENVIRONMENTS"] === "all";
    const faults: string[] = [];
    for (const [at, [verb, args]] of calls.entries()) {
      for (const [name, { shell = "", mounts = false, env = {}, mute = false }] of all
        ? broken
        : broken.slice(at % broken.length, (at % broken.length) + 1)) {
        const words = [TSCOMPOSE, ...verb.split(" "), ...args];
        const wrapped = shell === "" ? words : ["sh", "-c", `${shell}\nexec "$0" "$@"`, ...words];
        const result = await host.exec(folder, mounts ? ["unshare", "-m", ...wrapped] : wrapped, { env });
        const why = fault(result, mute);
        if (why !== undefined)
          faults.push(`${name}, ${verb}: ${why}\n${result.stdout.slice(0, 300)}${result.stderr.slice(0, 700)}`);
      }
    }
    expect(faults).toEqual([]);
  }),
  process.env["TSCOMPOSE_ENVIRONMENTS"] === "all" ? 7_200_000 : 600_000,
);
