/** A network part on roots of its own, with the real kernel. Everything made is taken away by `close`. */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { EngineContext } from "../../../src/engine/context.js";
import { type Networking, openNetworking } from "../../../src/engine/network/index.js";
import { pathsBelow } from "../../../src/engine/paths.js";
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

/** What a program prints inside a pinned namespace; throws when it fails. */
export function printedIn(netns: string, argv: readonly string[], input = ""): string {
  return execFileSync("nsenter", [`--net=${netns}`, "--", ...argv], { encoding: "utf8", input });
}

export function openBench(env: Record<string, string> = {}): Bench {
  const base = mkdtempSync(join(tmpdir(), "tscnet-"));
  const paths = pathsBelow(join(base, "root"), join(base, "run"));
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

/** A web server inside a namespace that answers every request with `text`, and /who with the client's address. */
export async function serve(netns: string, port: number, text: string): Promise<AsyncDisposable> {
  const program = `const s=require("node:http").createServer((q,r)=>r.end(q.url==="/who"?q.socket.remoteAddress.replace("::ffff:",""):${JSON.stringify(text)}));s.listen(${port},"::",()=>process.stdout.write("ready\\n"));`;
  const child = spawn("nsenter", [`--net=${netns}`, "--", process.execPath, "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((done, fail) => {
    child.on("exit", (code) => fail(new Error(`server ended with ${code}`)));
    child.stdout.once("data", () => done());
  });
  child.removeAllListeners("exit");
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** What a client inside the namespace gets, or "" when it cannot. */
export function get(bench: Bench, netns: string, url: string): string {
  return bench.inside(netns, ["timeout", "2", "busybox", "wget", "-O", "-", url]).stdout;
}

/** What a client on the host gets, or "" when it cannot. */
export async function getFromHost(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000), headers: { connection: "close" } });
    return await response.text();
  } catch {
    return "";
  }
}

/** Addresses that a name server gives for a name to a client inside the namespace; undefined when there is no such name. */
export function lookup(bench: Bench, netns: string, name: string, server: string): string[] | undefined {
  const { stdout } = bench.inside(netns, ["busybox", "nslookup", name, server]);
  if (/NXDOMAIN|can't resolve|SERVFAIL|REFUSED/.test(stdout) || !stdout.includes("answer")) return undefined;
  return [...stdout.slice(stdout.indexOf("answer")).matchAll(/^Address(?: \d+)?: (\S+)$/gm)].map(
    (match) => match[1] ?? "",
  );
}

/** A free TCP port of the host. */
export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "0.0.0.0", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Bundles a program that imports our sources as `SRC/…`; its path. */
export async function bundle(source: string, dir: string): Promise<string> {
  const { build } = await import("esbuild");
  const outfile = join(dir, "program.mjs");
  await build({
    stdin: { contents: source.replaceAll("SRC/", `${resolve("src")}/`), resolveDir: resolve("."), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["esbuild"],
    logLevel: "error",
    outfile,
  });
  return outfile;
}

/** The code of the error a promise rejects with, or "" when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "";
  } catch (error) {
    return typeof error === "object" && error !== null && "code" in error ? String(error.code) : String(error);
  }
}
