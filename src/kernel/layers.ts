/**
 * Runs `tsc-unpack` and `tsc-pack`, the confined tar programs, and turns their answers into values and errors.
 * Knows nothing of images or storage; protocol: native/README.md.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { TscError } from "../lib/errors.js";
import type { OpenedPath, PackOptions, UnpackOptions, UnpackResult } from "./kernel.js";

/** One answer line is far shorter; more is a broken helper. */
const MAX_ANSWER = 64 * 1024;

interface UnpackFailure {
  readonly error: { readonly code: string; readonly path: string; readonly message: string };
}

/**
 * Unpacks one layer. `TSC_LAYER_CORRUPT` for a broken or hostile archive, `TSC_LAYER_TOO_BIG` past a limit,
 * `TSC_LAYER_UNPACK` for a failed system call (cause has `code`), the abort reason when cancelled.
 */
export async function unpackLayer(
  program: string,
  options: UnpackOptions,
  signal?: AbortSignal,
): Promise<UnpackResult> {
  signal?.throwIfAborted();
  const target = handedOn(options.target);
  const args = ["--target", target.path, "--whiteouts", options.whiteouts, "--compression", options.compression];
  if (options.squashOwners === true) args.push("--squash-owners");
  if (options.maxBytes !== undefined) args.push("--max-bytes", String(options.maxBytes));
  if (options.maxEntries !== undefined) args.push("--max-entries", String(options.maxEntries));
  const { input } = options;
  const stdin = typeof input === "number" ? input : "pipe";
  const child = spawn(program, args, { stdio: [stdin, "pipe", "pipe", ...target.stdio], env: {} });
  const abort = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", abort, { once: true });
  let streamError: unknown;
  try {
    if (typeof input !== "number" && child.stdin !== null) {
      const { stdin } = child;
      // EPIPE only repeats what the helper's own answer says.
      stdin.on("error", () => {});
      input.on("error", (error) => {
        streamError = error;
        child.kill("SIGKILL");
      });
      // The helper may stop before the end of a hostile archive; the source must not stay blocked for ever.
      child.on("exit", () => {
        input.unpipe(stdin);
        input.resume();
      });
      input.pipe(stdin);
    }
    const [stdout, stderr, code] = await finish(child);
    signal?.throwIfAborted();
    if (streamError !== undefined) throw streamError;
    return answerOf(stdout, stderr, code);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function answerOf(stdout: string, stderr: string, code: number | null): UnpackResult {
  let answer: (UnpackResult & { error?: undefined }) | UnpackFailure;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw new TscError("TSC_LAYER_UNPACK", `tsc-unpack ended with ${code ?? "a signal"}: ${stderr.trim()}`);
  }
  if (answer.error === undefined) return answer;
  const { code: errno, path, message } = answer.error;
  const where = path === "" ? "" : ` at ${JSON.stringify(path)}`;
  if (errno === "CORRUPT" || errno === "HOSTILE")
    throw new TscError("TSC_LAYER_CORRUPT", `layer archive is not acceptable${where}: ${message}`, {
      kind: "invalid-input",
    });
  if (errno === "LIMIT")
    throw new TscError("TSC_LAYER_TOO_BIG", `layer exceeds a limit${where}: ${message}`, { kind: "invalid-input" });
  throw new TscError("TSC_LAYER_UNPACK", `layer cannot be unpacked${where}: ${message}`, {
    cause: Object.assign(new Error(message), { code: errno, path }),
    ...(errno === "ENOSPC" || errno === "EDQUOT" ? { hint: "free some space under the storage root" } : {}),
  });
}

async function finish(child: ChildProcess): Promise<[string, string, number | null]> {
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return [out(), err(), code];
}

function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_ANSWER) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

/** How a folder is named to a helper: by its path, or as the first descriptor that the helper gets beside its standard ones. */
function handedOn(folder: string | OpenedPath): { path: string; shown: string; stdio: number[] } {
  if (typeof folder === "string") return { path: folder, shown: folder, stdio: [] };
  return { path: "/proc/self/fd/3", shown: `/${folder.within}`, stdio: [folder.descriptor] };
}

/** A tar stream of a folder; the stream fails with `TSC_LAYER_PACK` when the helper does. */
export function packLayer(program: string, options: PackOptions): NodeJS.ReadableStream {
  const source = handedOn(options.source);
  const args = ["--source", source.path];
  if (options.overlay) args.push("--overlay");
  if (options.paths !== undefined) args.push("--", ...options.paths);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe", ...source.stdio], env: {} });
  const { stdout, stderr } = child;
  if (stdout === null) throw new TscError("TSC_LAYER_PACK", `folder ${source.shown} cannot be packed: no pipe`);
  const errors = collect(stderr);
  const tar = new Readable({
    read() {
      stdout.resume();
    },
    destroy(error, done) {
      if (child.exitCode === null) child.kill("SIGKILL");
      done(error);
    },
  });
  stdout.on("data", (chunk: Buffer) => {
    if (!tar.push(chunk)) stdout.pause();
  });
  child.on("error", (error) => tar.destroy(error));
  // Only a clean exit ends the stream: a tar cut short must never look whole.
  child.on("close", (code) => {
    if (code === 0) tar.push(null);
    else tar.destroy(new TscError("TSC_LAYER_PACK", `folder ${source.shown} cannot be packed: ${errors().trim()}`));
  });
  return tar;
}
