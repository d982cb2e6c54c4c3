import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { EngineContext } from "../../../src/engine/context.js";
import { withLock } from "../../../src/engine/network/locks.js";
import { lockContainer } from "../../../src/engine/runtime/lookup.js";
import { takeLock } from "../../../src/engine/take-lock.js";
import { fakeKernel } from "../../../src/kernel/fake.js";
import type { FileLock } from "../../../src/kernel/kernel.js";

const ENGINE = resolve(import.meta.dirname, "../../../src/engine");
const kernel = fakeKernel();
const told: string[] = [];
const part: Pick<EngineContext, "kernel" | "warn"> & { readonly paths: Pick<EngineContext["paths"], "locks"> } = {
  kernel,
  warn: (message) => told.push(message),
  paths: { locks: "/run/t/locks" },
};
const ctx = part as EngineContext;
/** What another process holds. */
const elsewhere = async (file: string): Promise<FileLock> =>
  (await kernel.lockFile(`/run/t/locks/${file}`)) as FileLock;

describe("a wait for a lock", () => {
  beforeEach(() => {
    told.length = 0;
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ["volume-data", "volume data", () => takeLock(ctx, "volume-data", "volume data")],
    ["container-0123456789abcdef", "container 0123456789ab", () => lockContainer(ctx, "0123456789abcdef")],
    ["network-net-7.lock", "network front", () => withLock(ctx, { id: "7", name: "front" }, async () => undefined)],
    ["network-dns.lock", "the name server of the networks", () => withLock(ctx, "dns", async () => undefined)],
  ])("%s is told once after five seconds, and goes on", async (file, what, wait) => {
    using held = await elsewhere(file);
    const waiting = wait();
    await jest.advanceTimersByTimeAsync(4_900);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([`${what} is held by another command that is still at work; waiting for it`]);
    held.release();
    await waiting;
  });

  test("a lock of this very command is told as such", async () => {
    const held = await takeLock(ctx, "volume-own", "volume own");
    const waiting = takeLock(ctx, "volume-own", "volume own");
    await jest.advanceTimersByTimeAsync(6_000);
    expect(told).toEqual(["volume own is held by other work of this command that is still at work; waiting for it"]);
    held.release();
    (await waiting).release();
  });

  test("nothing is said when it is short, and the signal ends it", async () => {
    using _held = await elsewhere("volume-a");
    const stop = new AbortController();
    const waiting = takeLock(ctx, "volume-a", "volume a", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await jest.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
  });
});

test("no part of the engine waits for a lock without a word", () => {
  // lockName tells its holder at once; what is not waited for needs no word
  const silent = readdirSync(ENGINE, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !["take-lock.ts", "locks.ts"].includes(file))
    .filter((file) => {
      const calls = readFileSync(join(ENGINE, file), "utf8").match(/\.lockFile\([^;]*?\);/gs) ?? [];
      return calls.some((call) => !call.includes("wait: false"));
    });
  expect(silent).toEqual([]);
});
