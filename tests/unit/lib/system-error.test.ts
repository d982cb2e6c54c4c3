import { describe, expect, test } from "@jest/globals";
import { systemError } from "../../../src/lib/system-error.js";

describe("failures of the machine", () => {
  test.each([
    [
      { code: "ENOSPC", message: "ENOSPC: no space left on device, write" },
      "TSC_NO_SPACE",
      "ENOSPC: no space left on device, write",
    ],
    [{ code: "ENOSPC", path: "/x", message: "m" }, "TSC_NO_SPACE", "/x: no space left on device"],
    [{ code: "EDQUOT", message: "m" }, "TSC_NO_SPACE", "m: disk quota exceeded"],
    [{ code: "EROFS", path: "/x", message: "m" }, "TSC_READ_ONLY", "/x: read-only file system"],
    [{ code: "EACCES", path: "/x", message: "m" }, "TSC_DENIED", "/x: permission denied"],
    [{ code: "ENOTDIR", path: "/etc/passwd/x", message: "m" }, "TSC_PATH", "/etc/passwd/x: not a directory"],
    [{ code: "ENAMETOOLONG", message: "m" }, "TSC_PATH", "m: file name too long"],
    [{ code: "EAGAIN", message: "spawn x EAGAIN" }, "TSC_NO_PROCESSES", expect.any(String)],
    [{ code: "EMFILE", message: "m" }, "TSC_TOO_MANY_FILES", "m: too many open files"],
    [
      { code: "ERR_SQLITE_ERROR", errcode: 13, message: "m" },
      "TSC_NO_SPACE",
      "the state database: no space left on device",
    ],
    [{ code: "ERR_SQLITE_ERROR", errcode: 778, message: "m" }, "TSC_IO", "the state database: input/output error"],
  ])("%j", (error, code, message) => {
    expect(systemError(error)).toMatchObject({ code, message, hint: expect.any(String) });
  });

  test.each([
    [{ code: "ENOENT", message: "m" }],
    [{ errcode: 19, message: "constraint" }],
    [new Error("x")],
    ["text"],
    [null],
  ])("%p is none", (error) => {
    expect(systemError(error)).toBeUndefined();
  });
});
