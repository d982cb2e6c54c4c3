/** `lockFile` over flock(2). A lock lives as long as its descriptor: a crash of the holder frees it. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "../lib/errors.js";
import type { Addon } from "./addon.js";
import type { FileLock } from "./kernel.js";

interface LockOptions {
  wait?: boolean;
  shared?: boolean;
  signal?: AbortSignal;
}

/** Takes the lock; undefined when it is held elsewhere and `wait` is false (the default is to wait). */
export async function lockFile(addon: Addon, path: string, options: LockOptions = {}): Promise<FileLock | undefined> {
  const shared = options.shared ?? false;
  options.signal?.throwIfAborted();
  for (;;) {
    const fd = openLock(path);
    let taken = false;
    try {
      taken = addon.lockTry(fd, shared);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    if (!taken) {
      if (options.wait === false) {
        closeSync(fd);
        return undefined;
      }
      await waitForLock(addon, fd, shared, options.signal);
    }
    if (isSameFile(fd, path)) return lockOf(fd);
    // The holder removed or replaced the file while we waited: this lock protects nothing any more.
    closeSync(fd);
  }
}

function openLock(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, flags, 0o600);
  }
}

function waitForLock(addon: Addon, fd: number, shared: boolean, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const handle = addon.lockWait(fd, shared, (error) => {
      signal?.removeEventListener("abort", abort);
      if (error === undefined) {
        resolve();
        return;
      }
      closeSync(fd);
      reject(error);
    });
    function abort(): void {
      addon.lockAbandon(handle);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function isSameFile(fd: number, path: string): boolean {
  const ours = fstatSync(fd, { bigint: true });
  const theirs = statSync(path, { bigint: true, throwIfNoEntry: false });
  return theirs !== undefined && theirs.ino === ours.ino && theirs.dev === ours.dev;
}

function lockOf(fd: number): FileLock {
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    closeSync(fd);
  };
  return { release, [Symbol.dispose]: release };
}
