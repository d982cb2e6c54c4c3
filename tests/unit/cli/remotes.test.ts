import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { remoteLoaders } from "../../../src/cli/remotes.js";

const REFERENCE = "https://git.invalid/stack.git";

test("a run resolves a reference once, however often it loads its project; a failed one again", async () => {
  const home = mkdtempSync(join(tmpdir(), "tsc-remotes-"));
  try {
    // a git that fails and writes down that it was asked
    writeFileSync(join(home, "git"), '#!/bin/sh\necho asked >> "$HOME/asked"\nexit 1\n');
    chmodSync(join(home, "git"), 0o755);
    const asked = () => readFileSync(join(home, "asked"), "utf8").split("\n").length - 1;
    const load = (signal: AbortSignal) => {
      const [loader] = remoteLoaders({
        env: { HOME: home, PATH: `${home}:/usr/bin:/bin` },
        engine: () => Promise.reject(new Error("no registry is asked")),
        signal,
      });
      return Promise.resolve(loader?.load(REFERENCE)).then(
        () => "loaded",
        (error: { code: string }) => error.code,
      );
    };
    const { signal } = new AbortController();
    expect(await Promise.all([load(signal), load(signal)])).toEqual(["TSC_REMOTE_GIT", "TSC_REMOTE_GIT"]);
    const once = asked();
    expect(await load(signal)).toBe("TSC_REMOTE_GIT");
    expect(asked()).toBe(2 * once);
    expect(await Promise.all([load(signal), load(new AbortController().signal)])).toEqual(
      Array.from({ length: 2 }, () => "TSC_REMOTE_GIT"),
    );
    expect(asked()).toBe(4 * once);
  } finally {
    rmSync(home, { recursive: true });
  }
});
