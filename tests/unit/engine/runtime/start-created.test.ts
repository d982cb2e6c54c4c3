/** A container's first process may be over before anybody has read that it began. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import type { EngineContext } from "../../../../src/engine/context.js";
import { startCreated } from "../../../../src/engine/runtime/oci-runtime.js";

const folder = mkdtempSync(join(tmpdir(), "tsc-fifo-"));
const choice = { name: "runc", path: "/usr/sbin/runc", hideUnified: false, reason: "" };
const init = { pid: 1, startTime: "1" };
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An engine whose kernel sees init end after `ms` in which nothing else of this process could go on. */
function endsAfter(ms: number): EngineContext {
  const waitForExit = async (): Promise<void> => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  };
  return { paths: { runRoot: folder }, kernel: { waitForExit } } as unknown as EngineContext;
}

function makeFifo(): string {
  const path = join(folder, "runtime/runc/one/exec.fifo");
  mkdirSync(join(path, ".."), { recursive: true });
  execFileSync("mkfifo", [path]);
  return path;
}

test("runc's init that has written to the fifo and ended has run", async () => {
  const path = makeFifo();
  spawn("sh", ["-c", 'printf 0 > "$0"', path], { stdio: "ignore" });
  await startCreated(endsAfter(1000), choice, "", "one", init);
});

test("an init that ended without a word has not", async () => {
  makeFifo();
  await expect(startCreated(endsAfter(0), choice, "", "one", init)).rejects.toMatchObject({
    code: "TSC_CONTAINER_START",
    exitCode: 125,
  });
});
