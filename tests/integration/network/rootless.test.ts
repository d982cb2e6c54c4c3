/** The shared namespace with slirp4netns, as an ordinary user with subordinate ids. Needs root to make that user. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "@jest/globals";
import { bundle } from "./support.js";

const USER = "tscnet";

function ensureUser(): void {
  if (spawnSync("id", [USER]).status !== 0) execFileSync("useradd", ["-m", USER]);
  if (!readFileSync("/etc/subuid", "utf8").includes(`${USER}:`)) {
    execFileSync("usermod", ["--add-subuids", "300000-365535", "--add-subgids", "300000-365535", USER]);
  }
  chmodSync("/dev/net/tun", 0o666);
}

test("an ordinary user gets names, ports with client addresses, isolation and repair", async () => {
  ensureUser();
  const dir = mkdtempSync(join(tmpdir(), "tscnet-scenario-"));
  try {
    chmodSync(dir, 0o755);
    const program = await bundle(`import "${resolve("tests/integration/network/rootless-scenario.ts")}";`, dir);
    const result = spawnSync(
      "setpriv",
      [
        `--reuid=${USER}`,
        `--regid=${USER}`,
        "--init-groups",
        "unshare",
        "-U",
        "-m",
        "--map-root-user",
        "--map-auto",
        process.execPath,
        program,
      ],
      { encoding: "utf8", timeout: 90_000, env: { PATH: process.env["PATH"] ?? "", HOME: `/home/${USER}` } },
    );
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual({
      rootless: true,
      name: true,
      mtu: 65520,
      neighbour: "web",
      isolated: "",
      published: "web",
      client: true,
      onlyLocal: "web",
      notOutside: "",
      samePort: ["web", "peer"],
      outside: "outside",
      internal: "",
      privileged: "TSC_PORT_PRIVILEGED",
      taken: "TSC_PORT_TAKEN",
      // a port without an address on both families; loopback clients are the gateway, others themselves
      six: ["web", "", "both", true, true, true],
      ports: ["0.0.0.0", "::"],
      withoutUplink: "web",
      dead: [true, ""],
      revived: [false, "web"],
      advice: [],
      notKept: [true, [true]],
      closed: "",
      others: "peer",
      left: [],
      sameAddress: true,
      again: "again",
      warnings: [],
      fallback: ["TSC_PORT_UNSUPPORTED", "web", "", true, true],
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 120_000);
