/** A network part on roots of its own, with the real kernel. Everything made is taken away by `close`. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { EngineContext, EnginePaths } from "../../../src/engine/context.js";
import { type Networking, openNetworking } from "../../../src/engine/network/index.js";
import { openState, type State } from "../../../src/engine/state/index.js";
import { openKernel } from "../../../src/kernel/index.js";
import type { Kernel } from "../../../src/kernel/kernel.js";

export interface Bench extends AsyncDisposable {
  readonly networking: Networking;
  readonly context: EngineContext;
  readonly state: State;
  readonly kernel: Kernel;
  readonly warnings: string[];
  /** Registers a container row, so that its addresses stay reserved. */
  addContainer(name: string): string;
  /** Runs a program inside a pinned namespace. */
  inside(netns: string, argv: readonly string[], timeoutMs?: number): SpawnSyncReturns<string>;
  /** A second opening of the same roots, as another command would do it. */
  reopen(): Networking;
}

export function pathsIn(root: string, runRoot: string): EnginePaths {
  return {
    root,
    runRoot,
    database: join(root, "state.db"),
    images: join(root, "images"),
    storage: join(root, "storage"),
    containers: join(root, "containers"),
    volumes: join(root, "volumes"),
    locks: join(runRoot, "locks"),
    netns: join(runRoot, "netns"),
    network: join(runRoot, "network"),
    containersRun: join(runRoot, "containers"),
    rootfs: join(runRoot, "rootfs"),
    exits: join(runRoot, "exits"),
    supervise: join(runRoot, "supervise"),
  };
}

export function openBench(env: Record<string, string> = {}): Bench {
  const base = mkdtempSync(join(tmpdir(), "tscnet-"));
  const paths = pathsIn(join(base, "root"), join(base, "run"));
  for (const dir of [paths.locks, paths.netns, paths.network]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  const kernel = openKernel({ nativeDir: resolve("native/build") });
  const state = openState(paths.database);
  const warnings: string[] = [];
  const context: EngineContext = {
    paths,
    kernel,
    state,
    env: { PATH: process.env["PATH"], HOME: base, ...env },
    rootless: kernel.isRootless,
    warn: (message) => warnings.push(message),
    emit: () => undefined,
  };
  const networking = openNetworking(context);
  return {
    networking,
    context,
    state,
    kernel,
    warnings,
    addContainer: (name) => {
      const id = randomBytes(32).toString("hex");
      state.run(
        "INSERT INTO containers(id, name, spec, image_id, image_name, state, boot_id, created_at) VALUES(?, ?, '{}', '', '', 'created', '', '')",
        id,
        name,
      );
      return id;
    },
    inside: (netns, argv, timeoutMs = 5_000) =>
      spawnSync("nsenter", [`--net=${netns}`, "--", ...argv], { encoding: "utf8", timeout: timeoutMs }),
    reopen: () => openNetworking(context),
    [Symbol.asyncDispose]: async () => {
      const ids = state.all<{ container_id: string }>("SELECT DISTINCT container_id FROM endpoints");
      for (const { container_id } of ids) await networking.detach(container_id, { release: true });
      for (const pin of readdirSync(paths.netns)) kernel.removeNetworkNamespace(join(paths.netns, pin));
      for (const network of await networking.list()) await networking.remove(network.name);
      await networking.repair();
      state[Symbol.dispose]();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Parsed output of `ip -j` in the current namespace. */
export function ipJson(...argv: string[]): unknown[] {
  return JSON.parse(execFileSync("ip", ["-j", ...argv], { encoding: "utf8" }) || "[]") as unknown[];
}
