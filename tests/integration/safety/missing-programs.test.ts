/** A machine that lacks a package: one error that names the package, nothing left behind, and all well once it is there. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { busyboxRegistry } from "../../helpers/busybox-registry.js";
import { runWithout } from "../../helpers/hide.js";
import { isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";
import { freePort } from "../../helpers/registry.js";

const registry = busyboxRegistry();

const present = (...paths: string[]): string[] => paths.filter((path) => existsSync(path));

interface Case {
  readonly name: string;
  readonly paths: readonly string[];
  readonly packages: RegExp;
}
const everywhere: readonly Case[] = [
  { name: "conmon", paths: ["/usr/bin/conmon"], packages: /apt-get install conmon/ },
  {
    name: "every OCI runtime",
    paths: ["/usr/bin/crun", ...present("/usr/sbin/runc", "/usr/bin/runc")],
    packages: /apt-get install crun/,
  },
  { name: "the name server", paths: ["/usr/lib/podman/aardvark-dns"], packages: /apt-get install aardvark-dns/ },
  {
    name: "iptables",
    paths: present("/usr/sbin/iptables", "/usr/sbin/iptables-save", "/usr/sbin/iptables-restore"),
    packages: /apt-get install iptables/,
  },
  {
    name: "an init program",
    paths: present("/usr/bin/catatonit", "/usr/libexec/podman/catatonit"),
    packages: /apt-get install catatonit/,
  },
];
const cases: Readonly<Record<Mode, readonly Case[]>> = {
  root: everywhere,
  user: [
    { name: "newuidmap", paths: ["/usr/bin/newuidmap"], packages: /apt-get install uidmap/ },
    {
      name: "every user-mode network",
      paths: ["/usr/bin/slirp4netns", ...present("/usr/bin/pasta")],
      packages: /apt-get install slirp4netns/,
    },
    ...everywhere,
  ],
};

/** What a failed `up` must not leave: mounted roots, namespace pins, containers' run folders. */
function remains(host: TestHost): string[] {
  return ["rootfs", "netns"].flatMap((name) => {
    const folder = join(host.folder, "run", name);
    // the shared rootless namespace is the user's, not the container's
    return existsSync(folder) ? readdirSync(folder).filter((entry) => !entry.startsWith("rootless-")) : [];
  });
}

const modes: Mode[] = ["root", "user"];
describe.each(modes)("missing package, %s", (mode) => {
  const check = isRoot ? test : test.skip;
  check(
    "one error names it, nothing is left, and `up` works once it is installed",
    onHost(mode, async (host) => {
      const folder = host.project("lacking", {
        "compose.yaml": `services: { a: { image: "${registry.address}/busybox:1", command: sleep 1000, init: true, ports: ["127.0.0.1:${await freePort()}:80"], stop_grace_period: 0s } }`,
      });
      for (const { name, paths, packages } of cases[mode]) {
        // later commands would enter the namespaces of earlier ones, where everything is there
        await host.endNamespaces();
        const failed = await runWithout(host, folder, paths, ["up", "-d"]);
        const seen = { name, code: failed.code, errors: failed.stderr.match(/error\[TSC_[A-Z_]+\]/g) ?? failed.stderr };
        expect(seen).toEqual({ name, code: expect.any(Number), errors: ["error[TSC_MISSING_PROGRAM]"] });
        expect(failed.code).not.toBe(0);
        expect(failed.stderr).toMatch(packages);
        expect({ name, remains: remains(host) }).toEqual({ name, remains: [] });
        // the project's network is an object of its own and stays, as with docker compose, until `down`
        await host.must(folder, "down");
        expect({ name, leaks: (await host.leaks()).lines }).toEqual({ name, leaks: [] });
      }
      await host.endNamespaces();
      await host.must(folder, "up", "-d");
      expect((await host.must(folder, "ps", "-q")).trim().split("\n")).toHaveLength(1);
    }),
    120_000,
  );
});
