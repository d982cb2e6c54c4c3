/** Every example comes up, does what its file says, and goes away. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { eventually, isRoot, type Mode, onHost, REPOSITORY, type TestHost } from "../helpers/host.js";

const check = isRoot ? test : test.skip;

/** A copy of an example, with the static busybox that its images are made of. */
function example(host: TestHost, name: string): string {
  const folder = host.project(name, join(REPOSITORY, "examples", name));
  cpSync("/bin/busybox", join(folder, "app/busybox"));
  return folder;
}

describe.each(["root", "user"] as const)("examples, %s", (mode: Mode) => {
  check(
    "quickstart answers on its published port, with a name resolved and a counter kept",
    onHost(mode, async (host) => {
      const folder = example(host, "quickstart");
      await host.must(folder, "up", "-d", "--build", "--wait");
      const address = (await host.must(folder, "port", "web", "8080")).trim();
      await eventually(async () =>
        /hello from \w+, counter says \d+/.test(await (await fetch(`http://${address}/`)).text()),
      );
      await host.must(folder, "down", "-v", "-t", "0");
    }),
    60_000,
  );

  check(
    "workshop: secret, config, hook, health and profile",
    onHost(mode, async (host) => {
      const folder = example(host, "workshop");
      await host.must(folder, "up", "-d", "--build");
      const address = (await host.must(folder, "port", "site", "8080")).trim();
      const page = async (path: string) => await (await fetch(`http://${address}/${path}`)).text();
      expect(await page("index.html")).toBe(readFileSync(join(folder, "site/index.html"), "utf8"));
      expect(await page("started.txt")).toMatch(/^started \w+/);
      await eventually(async () => (await host.must(folder, "logs", "visitor")).includes("welcome to workshop"));
      expect(await host.must(folder, "logs", "--no-log-prefix", "visitor")).toContain("token has 14 bytes");
      const shell = await host.run(folder, ["--profile", "tools", "run", "--rm", "-T", "shell", "echo", "inside"]);
      expect(shell).toMatchObject({ code: 0, stdout: "inside\n" });
      await host.must(folder, "down", "-v", "-t", "0");
    }),
    60_000,
  );
});
