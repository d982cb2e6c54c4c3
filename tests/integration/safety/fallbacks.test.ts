/** What the host does not offer is replaced by the next best thing, and said: storage drivers, one-id user namespaces. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../../helpers/debian.js";
import { runWithout } from "../../helpers/hide.js";
import { CACHE, isRoot, type Mode, onHost, type TestHost } from "../../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../../helpers/registry.js";

let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  const layers = [debianRootfs("busybox", CACHE)];
  await pushImage(registry.address, "busybox", "1", { layers });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});
const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];

/** `up`, writes into the rootfs and a volume, a second `up`, `build` on top, `down`. */
async function lifeOf(host: TestHost, driver: string): Promise<void> {
  const image = `${registry.address}/busybox:1`;
  const folder = host.project("driver", {
    "compose.yaml": `
services:
  plain: { image: "${image}", command: sh -c "echo here > /etc/mark; rm /bin/ls; sleep 1000", init: true, volumes: ["data:/data"], stop_grace_period: 0s }
  built: { build: ., image: made, command: sleep 1000, init: true, stop_grace_period: 0s }
volumes: { data: {} }
`,
    Dockerfile: `FROM ${image}\nRUN echo built > /made && rm /bin/cat\nCOPY compose.yaml /copy\n`,
  });
  await host.must(folder, "up", "-d", "--build");
  expect(await host.must(folder, "info")).toContain(driver);
  expect(await host.must(folder, "exec", "-T", "plain", "cat", "/etc/mark")).toBe("here\n");
  expect((await host.run(folder, ["exec", "-T", "plain", "test", "-e", "/bin/ls"])).code).toBe(1);
  expect(await host.must(folder, "exec", "-T", "built", "busybox", "cat", "/made")).toBe("built\n");
  expect((await host.run(folder, ["exec", "-T", "built", "test", "-e", "/bin/cat"])).code).toBe(1);
  await host.must(folder, "restart", "-t", "0", "plain");
  expect(await host.must(folder, "exec", "-T", "plain", "cat", "/etc/mark")).toBe("here\n");
  await host.must(folder, "down", "-v", "-t", "0");
  expect((await host.leaks()).lines).toEqual([]);
}

describe.each(modes)("storage, %s", (mode) => {
  for (const driver of ["fuse-overlayfs", "vfs"]) {
    check(
      `${driver}, asked for: a stack lives on it`,
      onHost(mode, (host) => lifeOf(host, driver), { TSCOMPOSE_STORAGE_DRIVER: driver }),
      60_000,
    );
  }
});

describe("a store where overlay cannot be stacked", () => {
  /** Puts the store on an overlay mount, which cannot hold another overlay's upper folder. */
  async function onOverlay(host: TestHost, body: (folder: string) => Promise<void>): Promise<void> {
    const at = (name: string) => join(host.folder, name);
    const tmpfs = at("tmpfs");
    mkdirSync(tmpfs);
    mkdirSync(at("store"), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "none", tmpfs]);
    for (const name of ["lower", "upper", "work"]) mkdirSync(join(tmpfs, name));
    chmodSync(join(tmpfs, "upper"), 0o700);
    const options = `lowerdir=${tmpfs}/lower,upperdir=${tmpfs}/upper,workdir=${tmpfs}/work`;
    execFileSync("mount", ["-t", "overlay", "-o", options, "none", at("store")]);
    try {
      const folder = host.project("stacked", {
        "compose.yaml": `services: { a: { image: "${registry.address}/busybox:1", command: sleep 1000, init: true, stop_grace_period: 0s } }`,
      });
      await body(folder);
      await host.must(folder, "down", "-t", "0");
    } finally {
      execFileSync("umount", ["-l", at("store")]);
      execFileSync("umount", ["-l", tmpfs]);
    }
  }

  check(
    "is used by copying layers, said once per boot",
    onHost("root", (host) =>
      onOverlay(host, async (folder) => {
        // fuse-overlayfs needs whiteouts in the store as well, which overlay refuses to hold
        const started = await host.run(folder, ["up", "-d"]);
        expect(started.stderr).toContain("copies whole layers");
        expect(started.code).toBe(0);
        expect((await host.run(folder, ["restart", "-t", "0"])).stderr).not.toContain("copies whole layers");
        expect(await host.must(folder, "info")).toContain("vfs");
      }),
    ),
    60_000,
  );
});

check(
  "a user without subordinate ids runs a stack as one id",
  onHost("user", async (host) => {
    const folder = host.project("single", {
      "compose.yaml": `services: { a: { image: "${registry.address}/busybox:1", command: sleep 1000, init: true, stop_grace_period: 0s }, other: { profiles: [x], image: "${registry.address}/busybox:1", user: "1000", command: id } }`,
    });
    const first = await runWithout(host, folder, ["/etc/subuid", "/etc/subgid"], ["up", "-d"]);
    expect(first.stderr).toMatch(/warning: only your own user id can be used in containers/);
    expect(first).toMatchObject({ code: 0 });
    expect(await host.must(folder, "exec", "-T", "a", "id", "-u")).toBe("0\n");
    expect(await host.must(folder, "exec", "-T", "a", "sh", "-c", "echo x > /etc/x && cat /etc/x")).toBe("x\n");
    const refused = await host.run(folder, ["run", "--rm", "-T", "other"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/error\[TSC_\w+\]/);
    expect(refused.stderr).toMatch(/hint/);
    await host.must(folder, "down", "-t", "0");
    expect((await host.leaks()).lines).toEqual([]);
  }),
  60_000,
);
