/** The two sides of a comparison: `config --format json` of the reference binary and of this loader, over one real folder. */
import { spawn } from "node:child_process";
import { loadModel, loadProject, nodeFs, toConfigJson, toModelText } from "../../../src/compose/index.js";
import { isTscError, messageOf } from "../../../src/lib/errors.js";

/** What one side says of a project: its JSON, or why it refuses. `broken`: an error of nobody's making. */
export type Answer =
  | { readonly json: string; readonly warnings: readonly string[] }
  | { readonly refused: string; readonly broken?: boolean };

/** Flags of `config` that both sides are given. */
export interface Flags {
  readonly noInterpolate?: boolean;
  readonly noPathResolution?: boolean;
  readonly noNormalize?: boolean;
}

/** What both sides see of the caller. */
const CALLER = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/home/u" } as const;

/** Milliseconds after which a side that has not answered is given up. */
const PATIENCE = 20_000;

export async function ours(folder: string, files: readonly string[], flags: Flags = {}): Promise<Answer> {
  const warnings: string[] = [];
  const warn = ({ message }: { readonly message: string }): void => {
    warnings.push(message);
  };
  const options = { cwd: folder, env: CALLER, files, fs: nodeFs, warn, ...flags };
  try {
    const json =
      flags.noInterpolate === true
        ? toModelText((await loadModel(options)).tree, "json")
        : toConfigJson(await loadProject(options));
    return { json, warnings };
  } catch (error) {
    const all: readonly unknown[] = isTscError(error) && "errors" in error ? (error.errors as unknown[]) : [error];
    const stranger = all.find((one) => !isTscError(one) || one.code === "TSC_INTERNAL");
    if (stranger === undefined) return { refused: messageOf(error) };
    return { refused: stranger instanceof Error ? (stranger.stack ?? "") : String(stranger), broken: true };
  }
}

export function theirs(binary: string, folder: string, files: readonly string[], flags: Flags = {}): Promise<Answer> {
  const argv = [
    ...files.flatMap((file) => ["-f", file]),
    ...["config", "--format", "json"],
    ...(flags.noInterpolate === true ? ["--no-interpolate"] : []),
    ...(flags.noPathResolution === true ? ["--no-path-resolution"] : []),
    ...(flags.noNormalize === true ? ["--no-normalize"] : []),
  ];
  const child = spawn(binary, argv, {
    cwd: folder,
    env: CALLER,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE,
    killSignal: "SIGKILL",
  });
  const chunks: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => chunks[0].push(data));
  child.stderr.on("data", (data: Buffer) => chunks[1].push(data));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      const [out, err] = chunks.map((list) => Buffer.concat(list).toString("utf8"));
      const lines = (err ?? "").split("\n").filter((line) => line.trim() !== "");
      const said = lines.filter((line) => !isWarning(line)).join("\n");
      const broken = /^(?:panic|goroutine|fatal error)\b/m.test(said);
      if (code === 0) done({ json: out ?? "", warnings: lines.filter(isWarning).map(messageOfLine) });
      else done({ refused: said || `exit ${code}`, ...(broken ? { broken } : {}) });
    });
  });
}

const isWarning = (line: string): boolean => line.includes("level=warning");

/** `time="…" level=warning msg="…"`; logrus quotes what is not one plain word. */
function messageOfLine(line: string): string {
  const text = /\bmsg=(.*)$/.exec(line)?.[1] ?? line;
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
