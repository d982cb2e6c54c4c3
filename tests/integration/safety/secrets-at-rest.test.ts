/** What a project is told in confidence, looked for byte by byte: in the store, in the run folder, in command lines and in what is said. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];

/** Every value of the project below that is nobody's business begins with this. */
const CANARY = "canary7f3a";
/** What stands in rows, as any command line does, and goes with them. */
const ROW = "row5be1";

const registry = busyboxRegistry();

function project(host: TestHost): string {
  return host.project("quiet", {
    "compose.yaml": `
services:
  app:
    image: ${registry.address}/busybox:1
    network_mode: none
    stop_grace_period: 0s
    restart: always
    init: false
    command: [sh, -c, "echo ready; sleep 1000", ${ROW}-command]
    environment: {INLINE: ${CANARY}-inline}
    env_file: [app.env]
    healthcheck: {test: [CMD-SHELL, 'test -n "$$INLINE"'], interval: 1s}
    secrets: [from_file, from_env]
    configs: [inline]
secrets:
  from_file: {file: ./secret.txt}
  from_env: {environment: TOKEN}
configs:
  inline: {content: "${CANARY}-config"}
`,
    "app.env": `FROM_FILE=${CANARY}-envfile\n`,
    "secret.txt": `${CANARY}-file\n`,
  });
}
const env = { TOKEN: `${CANARY}-token` };

/** Files below a folder whose bytes hold the canary. */
function holders(folder: string, text = CANARY): string[] {
  const found = spawnSync("grep", ["-rlaF", text, folder], { encoding: "utf8" });
  return found.stdout.split("\n").filter((line) => line !== "");
}

function expectPrivate(files: readonly string[], base: string, uid: number): void {
  for (const file of files) {
    expect([file, statSync(file).mode & 0o777, statSync(file).uid]).toEqual([file, 0o600, uid]);
    // Whoever wants to open it has to pass them all.
    expect([file, statSync(dirname(file)).mode & 0o777]).toEqual([file, 0o700]);
  }
  expect(statSync(base).mode & 0o777).toBe(0o700);
}

describe.each(modes)("%s", (mode) => {
  const uid = () => (mode === "root" ? 0 : Number(execFileSync("id", ["-u", "tsctest"], { encoding: "utf8" })));
  const store = (host: TestHost) => host.env["TSCOMPOSE_ROOT"] ?? "";

  check(
    "environments and contents stand in private files while there is a container, and nowhere afterwards",
    onHost(mode, async (host) => {
      const folder = project(host);
      const up = await host.run(folder, ["--progress", "json", "up", "-d"], { env });
      expect(up).toMatchObject({ code: 0 });
      expect(`${up.stdout}${up.stderr}`).not.toContain(CANARY);
      const during = holders(store(host));
      expect(during.length).toBeGreaterThan(0);
      expect(during.filter((file) => file.includes("state.db"))).toEqual([]);
      expectPrivate(during, store(host), uid());
      const read = await host.must(
        folder,
        "exec",
        "app",
        "sh",
        "-c",
        "echo $INLINE $FROM_FILE; cat /run/secrets/* /inline",
      );
      expect(read.match(new RegExp(CANARY, "g"))).toHaveLength(5);
      // Rewritten rows, and the restart of a stopped container from what was kept.
      await host.must(folder, "stop");
      await host.must(folder, "start");
      expect(await host.must(folder, "exec", "app", "sh", "-c", "echo $INLINE; cat /run/secrets/from_env")).toContain(
        "-token",
      );
      const commands = readdirSync("/proc").flatMap((pid) => {
        try {
          return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8")] : [];
        } catch {
          return []; // it has ended
        }
      });
      expect(commands.filter((line) => line.includes(CANARY))).toEqual([]);
      expect(await host.must(folder, "events", "--json", "--since", "1h", "--until", "0s")).not.toContain(CANARY);
      const again = await host.run(folder, ["up", "-d"], { env });
      expect(again.stderr).not.toMatch(/Recreate/);
      expectPrivate(holders(store(host), ROW), store(host), uid());
      await host.must(folder, "down", "-v");
      expect(holders(store(host))).toEqual([]);
      expect(holders(store(host), ROW)).toEqual([]);
      expect(holders(host.env["TSCOMPOSE_RUN_ROOT"] ?? "")).toEqual([]);
    }),
    180_000,
  );

  check(
    "a changed variable is named in the plan, its values are not, and old values go",
    onHost(mode, async (host) => {
      const folder = project(host);
      await host.run(folder, ["up", "-d"], { env });
      const file = join(folder, "compose.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replace("-inline", "-second"));
      const plan = await host.run(folder, ["up", "-d", "--dry-run"], { env });
      expect(`${plan.stdout}${plan.stderr}`).toContain("environment.INLINE");
      expect(`${plan.stdout}${plan.stderr}`).not.toContain(CANARY);
      await host.run(folder, ["up", "-d"], { env });
      expect(spawnSync("grep", ["-rlaF", `${CANARY}-inline`, store(host)], { encoding: "utf8" }).stdout).toBe("");
      await host.must(folder, "down", "-v");
    }),
    180_000,
  );

  check(
    "a hook before the first start of a container that was made earlier gets what that one holds",
    onHost(mode, async (host) => {
      const folder = host.project("hooked", {
        "compose.yaml": `
services:
  app:
    image: ${registry.address}/busybox:1
    network_mode: none
    stop_grace_period: 0s
    command: [sleep, "1000"]
    environment: {INLINE: ${CANARY}-inline}
    configs: [inline]
    pre_start:
      - command: [sh, -c, 'test "$$INLINE" = ${CANARY}-inline && grep -q ${CANARY}-config /inline']
configs:
  inline: {content: "${CANARY}-config"}
`,
      });
      await host.must(folder, "create");
      await host.must(folder, "up", "-d");
      expect(await host.must(folder, "ps", "--format", "{{.State}}")).toBe("running\n");
      expect(await host.must(folder, "container", "inspect", "hooked-app-1")).not.toContain(`${CANARY}-config`);
      await host.must(folder, "down", "-v");
      expect(holders(store(host))).toEqual([]);
    }),
    120_000,
  );

  check(
    "a store that others could read is closed, another user's is refused, a shared folder is none",
    onHost(mode, async (host) => {
      await host.must("/", "ls");
      const database = join(store(host), "state.db");
      chmodSync(store(host), 0o755);
      chmodSync(database, 0o644);
      await host.must("/", "ls");
      expect([statSync(store(host)).mode & 0o777, statSync(database).mode & 0o777]).toEqual([0o700, 0o600]);
      const shared = join(host.folder, "shared");
      mkdirSync(shared);
      chmodSync(shared, 0o777);
      writeFileSync(join(shared, "somebody's"), "");
      execFileSync("chown", ["-R", String(uid()), shared]);
      const refused = await host.run("/", ["ls"], { env: { TSCOMPOSE_ROOT: shared } });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("TSC_FOLDER_SHARED") });
      expect(statSync(shared).mode & 0o777).toBe(0o777);
      execFileSync("chown", [mode === "root" ? "12345" : "0", shared]);
      const foreign = await host.run("/", ["ls"], { env: { TSCOMPOSE_ROOT: shared } });
      expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining("TSC_FOLDER_OWNER") });
    }),
    120_000,
  );

  check(
    "a store of the version before is cleaned: rows move into files, no page remembers them, and the container goes on",
    onHost(mode, async (host) => {
      const folder = project(host);
      await host.run(folder, ["up", "-d"], { env });
      makeOld(store(host));
      expect(holders(store(host)).some((file) => file.includes("state.db"))).toBe(true);
      await host.must(folder, "ps");
      const after = holders(store(host));
      expect(after.filter((file) => file.includes("state.db"))).toEqual([]);
      expectPrivate(after, store(host), uid());
      await host.must(folder, "restart", "-t", "0");
      const read = await host.must(
        folder,
        "exec",
        "app",
        "sh",
        "-c",
        "echo $INLINE $FROM_FILE; cat /run/secrets/from_env",
      );
      expect(read.match(new RegExp(CANARY, "g"))).toHaveLength(3);
      const again = await host.run(folder, ["up", "-d"], { env });
      expect(again.stderr).not.toMatch(/Recreate/);
      await host.must(folder, "down", "-v");
      expect(holders(store(host))).toEqual([]);
    }),
    180_000,
  );
});

/** Turns the database back into one of version 2, with everything in its rows. */
function makeOld(root: string): void {
  const owner = statSync(join(root, "state.db"));
  using db = new DatabaseSync(join(root, "state.db"));
  for (const { id, spec } of db.prepare("SELECT id, spec FROM containers").all() as { id: string; spec: string }[]) {
    const { keepsEnv: _kept, files, ...rest } = JSON.parse(spec);
    const kept = join(root, "containers", id, "private");
    const old = {
      ...rest,
      env: JSON.parse(readFileSync(join(kept, "env.json"), "utf8")),
      files: files.map(({ held, ...file }: { held?: { index: number } }) =>
        held === undefined ? file : { ...file, content: readFileSync(join(kept, `file-${held.index}`), "utf8") },
      ),
    };
    db.prepare("UPDATE containers SET spec = ? WHERE id = ?").run(JSON.stringify(old), id);
    execFileSync("rm", ["-r", kept]);
  }
  db.exec(`ALTER TABLE containers DROP COLUMN owner; ALTER TABLE containers DROP COLUMN owner_kind;
           PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)`);
  for (const name of ["state.db", "state.db-wal", "state.db-shm"]) {
    const path = join(root, name);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) continue;
    execFileSync("chown", [`${owner.uid}:${owner.gid}`, path]);
    chmodSync(path, 0o644);
  }
}
