/** Readies a log for another process of its container. */
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { RUN_MARK } from "./format.js";
import { numbersOf } from "./parts.js";

/** Makes the log for its owner alone, or ends it where the process before left off. */
export function beginRun(path: string): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 0o600);
  try {
    if (fstatSync(fd).size > 0 || numbersOf(path).length > 0) writeSync(fd, RUN_MARK);
  } finally {
    closeSync(fd);
  }
}
