/**
 * Host paths that lie in a folder which a container has to write: it puts links in place of what others, or its own next run, are to be given.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { makesTargetsSafely } from "../../../src/engine/runtime/nested-targets.js";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";

const check = isRoot ? test : test.skip;
const registry = busyboxRegistry();

const service = (command: string, more: string) =>
  `    image: ${registry.image}\n    network_mode: none\n    command: ["sh", "-c", ${JSON.stringify(command)}]\n${more}`;

/** Everything of `shared` that a service names, and what the first container makes of it. */
function project(host: TestHost, bait: string): string {
  const swaps = [
    `cd /s && rm -r sub c.txt dev inner`,
    ...["sub", "dev", "made"].map((name) => `ln -s ${bait} ${name}`),
    `ln -s ${bait}/secret c.txt`,
    `ln -s other inner`,
  ].join("; ");
  const yaml = `services:
  swapper:
${service(swaps, "    volumes: [./shared:/s]\n")}
  bind:
${service("cat /m/secret", "    volumes: [./shared/sub:/m]\n")}
  made:
${service("true", "    volumes: [./shared/made/new:/m]\n")}
  aliased:
${service("cat /m/secret", "    volumes: [./alias/sub:/m]\n")}
  config:
${service("cat /c", "    configs: [{ source: c, target: /c }]\n")}
  copied:
${service("cat /c", "    configs: [{ source: c, target: /c, mode: 0444 }]\n")}
  secret:
${service("cat /run/secrets/s", "    secrets: [s]\n")}
  device:
${service("cat /m/secret", "    volumes: [dev:/m]\n")}
  inner:
${service("cat /m/secret", "    volumes: [./shared/inner:/m]\n")}
  outer:
${service("cat /m/secret", "    volumes: [./own:/m]\n")}
  nested:
${service("true", "    runtime: runc\n    volumes: [./shared:/v, /v/other]\n")}
configs: { c: { file: ./shared/c.txt } }
secrets: { s: { file: ./shared/c.txt } }
volumes:
  dev: { driver: local, driver_opts: { type: none, o: bind, device: ./shared/dev } }
`;
  return host.project("written", {
    "compose.yaml": yaml,
    "shared/sub/secret": "mine\n",
    "shared/dev/secret": "mine\n",
    "shared/inner/secret": "mine\n",
    "shared/other/secret": "other\n",
    "shared/c.txt": "mine\n",
    "elsewhere/secret": "elsewhere\n",
  });
}

describe.each(["root", "user"] as Mode[])("what a container has written to, %s", (mode) => {
  check(
    "chooses no place on the host for a bind, a missing folder, a config, a secret, a volume's device or cp",
    onHost(mode, async (host) => {
      const bait = join(host.folder, "projects", "bait");
      mkdirSync(bait);
      writeFileSync(join(bait, "secret"), "host secret\n");
      chmodSync(bait, 0o777);
      const folder = project(host, bait);
      // a person's own links, where no container writes, lead where they lead
      await host.exec(folder, ["ln", "-s", "shared", "alias"]);
      await host.exec(folder, ["ln", "-s", join(folder, "elsewhere"), "own"]);
      await host.must(folder, "create", "bind");
      await host.must(folder, "up", "swapper");

      const outcomes: Record<string, string> = {};
      for (const name of ["bind", "made", "aliased", "config", "copied", "secret", "device"]) {
        const { code, stdout, stderr } = await host.run(folder, ["run", "--rm", "-T", name]);
        outcomes[name] =
          code === 0 ? `got ${stdout}` : /no such|leads nowhere|ENOENT/.test(stderr) ? "refused" : stderr;
      }
      expect(outcomes).toEqual(Object.fromEntries(Object.keys(outcomes).map((name) => [name, "refused"])));
      const cp = await host.run(folder, ["cp", "bind:/m/secret", "-"]);
      expect({ code: cp.code, leaked: cp.stdout.includes("host secret") }).toEqual({ code: 1, leaked: false });
      expect(readdirSync(bait)).toEqual(["secret"]);

      const nested = await host.run(folder, ["run", "--rm", "-T", "nested"]);
      const version = /^runc version (\S+)/.exec(execFileSync("runc", ["--version"], { encoding: "utf8" }))?.[1] ?? "";
      expect(nested.stderr.includes("TSC_MOUNT_TARGET")).toBe(!makesTargetsSafely(version));

      expect(await host.must(folder, "run", "--rm", "-T", "inner")).toContain("other");
      expect(await host.must(folder, "run", "--rm", "-T", "outer")).toContain("elsewhere");
    }),
    120_000,
  );
});
