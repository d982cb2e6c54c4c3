/** tscompose-launcher as an ordinary user: who may hold the namespaces, what is refused, what is said. Needs root to make users. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { isRoot, testUser } from "../../helpers/host.js";
import { NATIVE_DIR } from "../../helpers/native.js";

const launcher = join(NATIVE_DIR, "tscompose-launcher");
const PLAIN = "tscplain";
const check = isRoot ? test : test.skip;

interface Ids {
  readonly uid: number;
  readonly gid: number;
}
interface Seen {
  readonly mapping: string;
  readonly runRoot: string;
  readonly hostUid: string;
  readonly uidMap: string;
  readonly user: string;
  readonly cwd: string;
  readonly path: string;
}

let base = "";
let plain: Ids = { uid: 0, gid: 0 };
beforeAll(() => {
  if (!isRoot) return;
  // a user without subordinate ids
  spawnSync("userdel", [PLAIN]);
  const none = ["-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0"];
  execFileSync("useradd", ["--no-create-home", "--no-log-init", "--home-dir", "/nonexistent", ...none, PLAIN]);
  const [, , uid, gid] = execFileSync("getent", ["passwd", PLAIN], { encoding: "utf8" }).split(":").map(Number);
  plain = { uid: uid ?? 0, gid: gid ?? 0 };
});
afterAll(() => {
  if (isRoot) spawnSync("userdel", [PLAIN]);
});
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "tsc-launcher-"));
  chmodSync(base, 0o755);
  writeFileSync(
    join(base, "entry.mjs"),
    `import { readFileSync, readlinkSync } from "node:fs";
const { TSCOMPOSE_ID_MAPPING: mapping, TSCOMPOSE_RUN_ROOT: runRoot, TSCOMPOSE_HOST_UID: hostUid, PATH: path } = process.env;
console.log(JSON.stringify({ mapping, runRoot, hostUid, path, cwd: process.cwd(),
  uidMap: readFileSync("/proc/self/uid_map", "utf8").trim().replace(/\\s+/g, " "), user: readlinkSync("/proc/self/ns/user") }));
`,
  );
});
afterEach(() => {
  const pause = pauseOf("run");
  if (pause !== undefined) process.kill(pause.pid, "SIGTERM");
  rmSync(base, { recursive: true, force: true });
});

/** The launcher's pause process as its file names it, when it lives. */
function pauseOf(runRoot: string): { pid: number; start: string } | undefined {
  try {
    const [pid = "", start = ""] = readFileSync(join(base, runRoot, "pause.pid"), "utf8")
      .trim()
      .split(" ");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return stat[19] === start && stat[0] !== "Z" ? { pid: Number(pid), start } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes RUNROOT/pause.pid as if the launcher had. */
function record(folder: string, text: string, owner: Ids): void {
  const path = join(folder, "pause.pid");
  writeFileSync(path, text, { mode: 0o600 });
  chownSync(path, owner.uid, owner.gid);
}

function runRoot(name: string, owner: Ids, mode = 0o700): string {
  const path = join(base, name);
  mkdirSync(path);
  chmodSync(path, mode);
  chownSync(path, owner.uid, owner.gid);
  return path;
}

function launch(
  user: Ids,
  env: Record<string, string> = {},
  cwd = "/",
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(launcher, [join(base, "entry.mjs")], {
    cwd,
    uid: user.uid,
    gid: user.gid,
    env: { PATH: "/usr/bin:/bin", TSCOMPOSE_RUN_ROOT: join(base, "run"), ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, stdout, stderr };
}
function seen(result: { code: number | null; stdout: string; stderr: string }): Seen {
  if (result.code !== 0) throw new Error(`launcher exited ${result.code}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

describe("identity mapping", () => {
  check("a user with subordinate ids gets them all, silently", () => {
    const user = testUser();
    runRoot("run", user);
    const result = launch(user);
    expect(result.stderr).toBe("");
    expect(seen(result)).toMatchObject({ mapping: "full", hostUid: String(user.uid), runRoot: join(base, "run") });
    expect(seen(result).uidMap).toMatch(new RegExp(`^0 ${user.uid} 1 1 \\d{5,} 65536$`));
    // helper programs live in folders that users' PATHs lack
    expect(seen(result).path).toBe("/usr/bin:/bin:/usr/sbin:/sbin");
  });

  check("a user without any gets one id and is told once, with the command that changes it", () => {
    runRoot("run", plain);
    const first = launch(plain);
    expect(seen(first)).toMatchObject({ mapping: "single", uidMap: `0 ${plain.uid} 1` });
    expect(first.stderr).toMatch(
      /^tscompose: warning: only your own user id .*\(tscplain has no range in \/etc\/subuid\)/,
    );
    expect(first.stderr).toContain("usermod --add-subuids");
    const second = launch(plain);
    expect(second.stderr).toBe("");
    expect(seen(second).user).toBe(seen(first).user);
  });
});

describe("the namespace holder", () => {
  check("eight first commands at once make one", async () => {
    const user = testUser();
    runRoot("run", user);
    const outputs = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const child = spawn(launcher, [join(base, "entry.mjs")], {
          uid: user.uid,
          gid: user.gid,
          env: { PATH: "/usr/bin:/bin", TSCOMPOSE_RUN_ROOT: join(base, "run") },
          stdio: ["ignore", "pipe", "inherit"],
        });
        let text = "";
        child.stdout.on("data", (data: Buffer) => {
          text += data;
        });
        await once(child, "close");
        return JSON.parse(text) as Seen;
      }),
    );
    expect(new Set(outputs.map((one) => one.user)).size).toBe(1);
    expect(pauseOf("run")).toBeDefined();
  });

  check.each<[string, (line: string) => string]>([
    ["start time (a reused pid)", (line) => line.replace(/ (\d+) /, (_all, start) => ` ${Number(start) - 1} `)],
    ["file", (line) => line.replace(/:(\d+) /, (_all, inode) => `:${Number(inode) + 1} `)],
    ["boot", (line) => line.replace(/.\n$/, (end) => (end[0] === "0" ? "1\n" : "0\n"))],
    ["form (pid and start time alone)", (line) => `${line.split(" ").slice(0, 2).join(" ")}\n`],
  ])("a process of another %s than the recorded is neither entered nor signalled", (_what, change) => {
    const user = testUser();
    const folder = runRoot("run", user);
    const first = seen(launch(user));
    const old = pauseOf("run");
    const line = readFileSync(join(folder, "pause.pid"), "utf8");
    expect(change(line)).not.toBe(line);
    record(folder, change(line), user);
    try {
      const second = seen(launch(user));
      expect(second.user).not.toBe(first.user);
      expect(() => process.kill(old?.pid ?? -1, 0)).not.toThrow();
      expect(pauseOf("run")?.pid).not.toBe(old?.pid);
    } finally {
      process.kill(old?.pid ?? -1, "SIGTERM");
    }
  });

  check("a record that others could have written is not believed", () => {
    const user = testUser();
    const folder = runRoot("run", user);
    const first = seen(launch(user));
    const old = pauseOf("run");
    chmodSync(join(folder, "pause.pid"), 0o622);
    try {
      expect(seen(launch(user)).user).not.toBe(first.user);
    } finally {
      process.kill(old?.pid ?? -1, "SIGTERM");
    }
  });

  check("a process in namespaces of somebody else is not entered", () => {
    const user = testUser();
    const folder = runRoot("run", user);
    const stranger = runRoot("other", plain);
    const theirs = seen(launch(plain, { TSCOMPOSE_RUN_ROOT: stranger }));
    const holder = pauseOf("other");
    try {
      record(folder, readFileSync(join(stranger, "pause.pid"), "utf8"), user);
      const ours = seen(launch(user));
      expect(ours.user).not.toBe(theirs.user);
      expect(ours.mapping).toBe("full");
    } finally {
      if (holder !== undefined) process.kill(holder.pid, "SIGTERM");
    }
  });

  check("a process in the machine's own namespaces is not taken for one", () => {
    const user = testUser();
    const folder = runRoot("run", user);
    const sleeper = spawn("sleep", ["30"], { uid: user.uid, gid: user.gid });
    try {
      const start = readFileSync(`/proc/${sleeper.pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19];
      const { dev, ino } = statSync(`/proc/${sleeper.pid}/exe`);
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
      record(folder, `${sleeper.pid} ${start} ${dev}:${ino} ${boot}`, user);
      expect(seen(launch(user)).mapping).toBe("full");
      expect(sleeper.exitCode).toBeNull();
    } finally {
      sleeper.kill();
    }
  });

  check("rubbish in its file is replaced", () => {
    const user = testUser();
    const folder = runRoot("run", user);
    for (const text of ["", "1 1\n", "-1 5\n", "x".repeat(5000), "999999999999999999999 7\n"]) {
      record(folder, text, user);
      expect(seen(launch(user)).mapping).toBe("full");
      const pause = pauseOf("run");
      if (pause !== undefined) process.kill(pause.pid, "SIGTERM");
    }
  });
});

describe("run roots", () => {
  const refusal = (result: { code: number | null; stderr: string }) => ({
    code: result.code,
    error: /^error\[(\w+)\]/.exec(result.stderr)?.[1],
    lines: result.stderr.match(/error\[/g)?.length,
  });

  check("of somebody else are refused", () => {
    runRoot("run", plain, 0o777);
    expect(refusal(launch(testUser()))).toEqual({ code: 1, error: "TSC_RUN_ROOT", lines: 1 });
  });

  check("that are links are refused", () => {
    const user = testUser();
    symlinkSync(runRoot("real", user), join(base, "run"));
    expect(refusal(launch(user))).toEqual({ code: 1, error: "TSC_RUN_ROOT", lines: 1 });
  });

  check("open to others are closed before use", () => {
    const user = testUser();
    runRoot("run", user, 0o777);
    seen(launch(user));
    expect(execFileSync("stat", ["-c", "%a", join(base, "run")], { encoding: "utf8" }).trim()).toBe("700");
  });

  check("must be absolute", () => {
    expect(refusal(launch(testUser(), { TSCOMPOSE_RUN_ROOT: "run" }))).toEqual({
      code: 1,
      error: "TSC_RUN_ROOT",
      lines: 1,
    });
  });

  check("default to XDG_RUNTIME_DIR when it is the user's", () => {
    const user = testUser();
    const xdg = runRoot("xdg", user);
    const result = seen(launch(user, { TSCOMPOSE_RUN_ROOT: "", XDG_RUNTIME_DIR: xdg }));
    expect(result.runRoot).toBe(join(xdg, "tscompose"));
    const pause = pauseOf("xdg/tscompose");
    if (pause !== undefined) process.kill(pause.pid, "SIGTERM");
  });
});

check("the current folder is kept, and root is not put into namespaces", () => {
  const result = spawnSync(launcher, [join(base, "entry.mjs")], {
    cwd: base,
    encoding: "utf8",
    env: { PATH: "/usr/bin" },
  });
  const parsed: Seen = JSON.parse(result.stdout);
  expect(parsed).toMatchObject({ cwd: base, uidMap: "0 0 4294967295" });
  expect(parsed.mapping).toBeUndefined();
  const user = testUser();
  runRoot("run", user);
  expect(seen(launch(user, {}, base)).cwd).toBe(base);
});
