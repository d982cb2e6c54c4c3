/**
 * A host that gives root no device cgroup: nobody but a privileged container reaches the host's disk, whether by a node it makes, one
 * that came with its image, or one that something bound brings along. The disk is a loop device of ours, of which each attack tries
 * to read and overwrite a mark.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../../helpers/debian.js";
import { CGROUPS_HIDDEN, CGROUPS_READ_ONLY, runAfterMounts } from "../../helpers/hide.js";
import { CACHE, isRoot, onHost, type Result, type TestHost, TSCOMPOSE } from "../../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../../helpers/registry.js";

const check = isRoot ? test : test.skip;
const MARK = "the host's disk\n";

let registry: Registry;
let base = "";
let disk = "";
let major = 0;
let minor = 0;
const backing = () => join(base, "disk.img");
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  base = mkdtempSync(join(tmpdir(), "tsc-disk-"));
  writeFileSync(backing(), Buffer.alloc(1 << 20));
  writeFileSync(backing(), MARK, { flag: "r+" });
  disk = execFileSync("losetup", ["--find", "--show", backing()], { encoding: "utf8" }).trim();
  const { rdev } = statSync(disk);
  [major, minor] = [(rdev >> 8) & 0xfff, rdev & 0xff];
  const root = join(base, "image");
  cpSync(debianRootfs("busybox", CACHE), root, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(root, "nodes"));
  for (const name of ["bin/disk", "nodes/disk"]) {
    execFileSync("mknod", ["-m", "666", join(root, name), "b", String(major), String(minor)]);
  }
  cpSync(join(root, "bin/busybox"), join(root, "bin/su-busybox"));
  execFileSync("chmod", ["4755", join(root, "bin/su-busybox")]);
  await pushImage(registry.address, "nodes", "1", { layers: [root] });
  mkdirSync(join(base, "bound"));
  execFileSync("mknod", ["-m", "666", join(base, "bound/disk"), "b", String(major), String(minor)]);
}, 120_000);
afterAll(async () => {
  if (disk !== "") execFileSync("losetup", ["--detach", disk]);
  await registry?.[Symbol.asyncDispose]();
  if (base !== "") rmSync(base, { recursive: true, force: true });
});

const hosts = { "read-only": CGROUPS_READ_ONLY, hidden: CGROUPS_HIDDEN };
type Without = keyof typeof hosts;

/** `run --rm` of one service with these lines of YAML. */
function run(host: TestHost, without: Without, yaml: string, script: string, more = ""): Promise<Result> {
  const folder = host.project("disk", {
    "compose.yaml": `services:\n  a:\n    image: "${registry.address}/nodes:1"\n    network_mode: none\n${yaml}${more}`,
  });
  return runAfterMounts(host, folder, hosts[without], [TSCOMPOSE, "run", "--rm", "-T", "a", "sh", "-c", script]);
}

/** Reads and overwrites the mark through each path, and lists those where that worked. */
function attack(...paths: string[]): string {
  const read = `head -c 15 $p 2>/dev/null | grep -q disk && echo READ $p`;
  const write = `[ -b $p ] && echo -n X | dd of=$p conv=notrunc 2>/dev/null && echo WROTE $p`;
  return `for p in ${paths.join(" ")}; do ${read}; ${write}; done`;
}
const make = (...paths: string[]) =>
  paths.map((path) => `mknod -m 666 ${path} b ${major} ${minor} 2>/dev/null`).join("; ");
const isWhole = () => readFileSync(backing(), "utf8").startsWith(MARK);

describe.each(Object.keys(hosts) as Without[])("cgroups %s", (without) => {
  check(
    "nodes made, brought by the image, bound, in volumes and in tmpfs",
    onHost("root", async (host) => {
      const places = ["/made", "/dev/made", "/dev/shm/made", "/v/made", "/t/made", "/run/made"];
      const brought = [
        ...["/bin/disk", "/nodes/disk", "/n/disk", "/b/disk", "/run/secrets/s"],
        ...[`/host${disk}`, `/d/${disk.slice("/dev/".length)}`],
      ];
      const yaml = `    volumes: ["vol:/v", "device:/n", "nodes:/nodes", "${base}/bound:/b", "/:/host", "/dev:/d"]\n    tmpfs: ["/t:dev,exec"]\n    secrets: [s]\n`;
      const more = `volumes: { vol: {}, nodes: {}, device: { driver_opts: { type: none, o: bind, device: "${base}/bound" } } }\nsecrets: { s: { file: ${disk} } }\n`;
      const script = `${make(...places)}; ${attack(...places, ...brought)}; echo done`;
      const result = await run(host, without, yaml, script, more);
      expect(result.stdout).toBe("done\n");
      expect(result.stderr.match(/warning: .*no device filter/g)).toHaveLength(1);
      expect(isWhole()).toBe(true);
    }),
    120_000,
  );
});

describe("without a device cgroup", () => {
  check(
    "a read-only root filesystem, another user, a setuid program",
    onHost("root", async (host) => {
      const script = `${attack("/bin/disk", "/nodes/disk")}; echo done`;
      expect((await run(host, "read-only", "    read_only: true\n", script)).stdout).toBe("done\n");
      const made = `/bin/su-busybox mknod /tmp/d b ${major} ${minor} 2>/dev/null; ${attack("/bin/disk", "/tmp/d")}; echo done`;
      expect((await run(host, "read-only", '    user: "1000"\n', made)).stdout).toBe("done\n");
      expect(isWhole()).toBe(true);
    }),
    120_000,
  );
  check(
    "what would undo it is refused by name, and so is runc, which cannot run there",
    onHost("root", async (host) => {
      for (const name of ["MKNOD", "cap_sys_admin", "ALL"]) {
        const result = await run(host, "read-only", `    cap_add: [${name}]\n`, "true");
        expect({ name, code: result.code }).toEqual({ name, code: 125 });
        expect(result.stderr).toMatch(/error\[TSC_DEVICE_FILTER\].*cap_add/);
        expect(result.stderr).toContain("hint");
      }
      const limited = await run(host, "read-only", `    devices: ["${disk}:/dev/x:r"]\n`, "true");
      expect(limited.stderr).toMatch(/error\[TSC_DEVICE_FILTER\].*permissions r/);
      const dev = await run(host, "read-only", '    volumes: ["/dev:/dev"]\n', "true");
      expect(dev.stderr).toMatch(/error\[TSC_DEVICE_FILTER\].*\/dev/);
      expect((await run(host, "read-only", "    runtime: runc\n", "true")).stderr).toContain("TSC_RUNTIME_CGROUPS");
    }),
    120_000,
  );
  check(
    "devices that were asked for, the standard ones and privileged containers work",
    onHost("root", async (host) => {
      const given = await run(
        host,
        "read-only",
        `    devices: ["${disk}:/dev/x", "${disk}:/mnt/x"]\n    volumes: ["/dev/null:/etc/quiet"]\n`,
        "head -c 15 /dev/x; echo; head -c 15 /mnt/x; echo; for i in null zero random urandom full; do head -c 0 /dev/$i && echo $i; done; echo x > /etc/quiet && echo quiet",
      );
      const disks = [MARK.trim(), MARK.trim()];
      expect(given.stdout.trim().split("\n")).toEqual([...disks, "null", "zero", "random", "urandom", "full", "quiet"]);
      const privileged = await run(host, "read-only", "    privileged: true\n", `head -c 15 ${disk}`);
      expect(privileged.stdout).toBe(MARK.trim());
      expect(privileged.stderr).not.toContain("device filter");
    }),
    120_000,
  );
  check(
    "steps of a build, exec, and exec with every capability",
    onHost("root", async (host) => {
      const folder = host.project("disk", {
        Dockerfile: `FROM ${registry.address}/nodes:1\nRUN ${make("/made", "/dev/made")}; ${attack("/made", "/dev/made", "/bin/disk", "/nodes/disk")}; echo step is done\n`,
        "compose.yaml": "services: { a: { build: ., network_mode: none, init: true, command: sleep 1000 } }",
      });
      const inside = `${make("/made")}; ${attack("/made", "/bin/disk")}; echo exec is done`;
      const script = [
        "set -e",
        `${TSCOMPOSE} build --no-cache --progress plain 2>&1`,
        `${TSCOMPOSE} up -d`,
        `${TSCOMPOSE} exec -T a sh -c '${inside}'`,
        `! ${TSCOMPOSE} exec -T --privileged a sh -c 'mount -o remount,dev /; ${inside}'`,
        `${TSCOMPOSE} down -t 0`,
      ].join("\n");
      const result = await runAfterMounts(host, folder, hosts["read-only"], ["sh", "-c", script]);
      expect(result).toMatchObject({ code: 0 });
      expect(result.stdout).toContain("step is done");
      expect(result.stdout.match(/exec is done/g)).toHaveLength(1);
      expect(result.stdout).not.toMatch(/\b(?:READ|WROTE) \/\w+$/m);
      expect(result.stderr).toContain("TSC_DEVICE_FILTER");
      expect(isWhole()).toBe(true);
    }),
    120_000,
  );
});
