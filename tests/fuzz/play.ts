/** Runs the drivers: a process per target, so that a crash, a hang or a full memory is a finding and not the end of the tests. */
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dirname, "../..");
/** Where `make -C native sanitize` puts programs and native targets. */
const SANITIZED = join(REPOSITORY, "native/build-sanitize");
const CORPUS = join(import.meta.dirname, "corpus");

export interface FuzzTarget {
  readonly name: string;
  /** Folder in `corpus/` when it is another target's. */
  readonly corpus?: string;
  /** C under sanitizers; TypeScript otherwise. */
  readonly native?: boolean;
  /** Executions in `npm test`, so that each target takes a few seconds at most. */
  readonly executions: number;
}

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: "spec", native: true, executions: 50_000 },
  { name: "tar", native: true, executions: 50_000 },
  { name: "unpack", native: true, executions: 120 },
  { name: "netlink", native: true, executions: 100_000 },
  { name: "text", native: true, executions: 50_000 },
  { name: "tar-reader", corpus: "tar", executions: 2000 },
  { name: "image-archive", corpus: "tar", executions: 1500 },
  { name: "zstd-frames", executions: 3000 },
  { name: "manifest", executions: 4000 },
  { name: "image-config", executions: 4000 },
  { name: "names", executions: 4000 },
  { name: "challenges", executions: 4000 },
  { name: "accounts", executions: 4000 },
  { name: "dockerfile", executions: 800 },
  { name: "words", executions: 600 },
  { name: "patterns", executions: 400 },
  { name: "logs", executions: 4000 },
  { name: "networks", executions: 4000 },
  { name: "text-shown", executions: 4000 },
];

export interface Played {
  readonly executions: number;
  /** Undefined when all went well; else what the driver said, and the input, kept at `path`. */
  readonly finding?: { readonly said: string; readonly input: Buffer; readonly path: string };
}

/** Plays `executions` changed inputs of one seed, and the whole corpus before them. */
export async function playTarget(target: FuzzTarget, executions: number, seed: number): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), "tsc-fuzz-play-"));
  const finding = join(folder, "finding");
  const common = [join(CORPUS, target.corpus ?? target.name), String(executions), String(seed), finding];
  const argv =
    target.native === true
      ? [join(SANITIZED, `tsc-fuzz-${target.name}`), ...common]
      : [
          process.execPath,
          ...["--no-warnings", "--import", join(REPOSITORY, "tests/resolve-ts.js")],
          ...[join(import.meta.dirname, "driver.ts"), target.name, ...common],
        ];
  const { status, output } = await run(argv);
  if (status === "0") {
    rmSync(folder, { recursive: true, force: true });
    const { executions: played } = JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as { executions: number };
    return { executions: played };
  }
  const input = existsSync(finding) ? inputOf(readFileSync(finding), target) : Buffer.alloc(0);
  const path = join(folder, `finding-${target.name}-${seed}`);
  writeFileSync(path, input);
  return { executions, finding: { said: `ended with ${status}\n${output.slice(0, 3000)}`, input, path } };
}

/** Copies a finding's input into the corpus, to be given a meaning for a name; its path there. */
export function keepFinding(target: FuzzTarget, path: string): string {
  const kept = join(CORPUS, target.corpus ?? target.name, `finding-${Date.now()}`);
  copyFileSync(path, kept);
  return kept;
}

/** The native driver's file is a mapped struct: eight bytes of size, then the bytes. */
function inputOf(file: Buffer, target: FuzzTarget): Buffer {
  return target.native === true && file.length >= 8 ? file.subarray(8, 8 + Number(file.readBigUInt64LE(0))) : file;
}

function run([program = "", ...args]: readonly string[]): Promise<{ status: string; output: string }> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => chunks.push(data));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) =>
      done({ status: String(code ?? signal), output: Buffer.concat(chunks).toString("utf8") }),
    );
  });
}
