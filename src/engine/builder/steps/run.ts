/** RUN: a process in a throw-away rootfs on the stage's layers; its changes become a layer. Leaves nothing else behind. */
import { TscError } from "../../../lib/errors.js";
import { labelForBuild, levelOf } from "../../selinux/index.js";
import { mountLabels } from "../../state/containers.js";
import { temporaryRootfsId } from "../../storage/index.js";
import { cacheKey, rootfsKey } from "../cache.js";
import type { StepScope } from "../deps.js";
import type { RunInstruction } from "../dockerfile/instructions.js";
import { stepNetwork } from "../entitlements.js";
import { type BuiltLayer, layerFromRootfs } from "../layer.js";
import { makePlaceholders, RUNTIME_MOUNT_POINTS, removePlaceholders } from "../placeholders.js";
import { mountsKey, prepareMounts } from "../run-mounts.js";
import { environmentOf } from "../state.js";
import { argvOf } from "./metadata.js";

const PROXY_ARGS = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** A RUN that is ready, with what identifies its result. */
export interface RunPlan {
  readonly key: string;
  readonly createdBy: string;
  readonly run: () => Promise<BuiltLayer>;
}

/** Computes the cache key; `run` executes. `TSC_BUILD_FAILED` when the process does not end with 0. */
export async function planRun(scope: StepScope, instruction: RunInstruction): Promise<RunPlan> {
  const { build, state } = scope;
  const script = scriptOf(instruction);
  const argv = script.argv ?? argvOf(script.command, state);
  const env = { ...state.args, ...environmentOf(state.config.env) };
  const { config } = state;
  const key = cacheKey(
    "RUN",
    rootfsKey(state),
    [argv, script.file ?? "", Object.entries(env).sort(), config.user, config.workingDir],
    [instruction.network, instruction.security, await mountsKey(scope, instruction)],
    [build.request.network ?? "", build.request.extraHosts ?? [], build.request.ulimits ?? []],
  );
  const usedArgs = Object.entries(state.args).map(([name, value]) => `${name}=${value}`);
  const shown = argv.join(" ");
  return {
    key,
    createdBy: `RUN ${usedArgs.length === 0 ? "" : `|${usedArgs.length} ${usedArgs.join(" ")} `}${shown}`,
    run: () => execute(scope, instruction, { argv, env, shown, file: script.file }),
  };
}

/** A lone here-document is the script itself: run by its own interpreter line, or by the shell. */
function scriptOf(instruction: RunInstruction): {
  command: RunInstruction["command"];
  argv?: readonly string[];
  file?: { target: string; content: string };
} {
  const { command, heredocs } = instruction;
  const [first] = heredocs;
  if (command.form === "exec" || first === undefined) return { command };
  const isLone = heredocs.length === 1 && /^<<-?\s*(["']?)[^\s"'<>]+\1$/.test(command.script.trim());
  if (!isLone) {
    const bodies = heredocs.map((heredoc) => heredoc.source).join("");
    return { command: { form: "shell", script: `${command.script}\n${bodies}` } };
  }
  if (!first.content.startsWith("#!")) return { command: { form: "shell", script: first.content } };
  const target = `/dev/pipes/${first.name}`;
  return { command, argv: [target], file: { target, content: first.content } };
}

interface Execution {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly shown: string;
  readonly file: { readonly target: string; readonly content: string } | undefined;
}

async function execute(scope: StepScope, instruction: RunInstruction, run: Execution): Promise<BuiltLayer> {
  const { build, state } = scope;
  const { storage, runStep } = build.deps;
  const { request } = build;
  if (run.argv.length === 0)
    throw new TscError("TSC_BUILD_FAILED", `${scope.file}:${instruction.line}: RUN: nothing to run`);
  const id = temporaryRootfsId(build.deps.ctx.kernel);
  await storage.createRootfs(id, state.chainId);
  try {
    const label = labelForBuild(() => mountLabels(build.deps.ctx.state));
    const rootfs = await storage.mountRootfs(id, label);
    await using prepared = await prepareMounts(scope, instruction);
    const files = [
      ...prepared.files,
      ...(run.file === undefined ? [] : [{ target: run.file.target, content: run.file.content, mode: 0o755 }]),
    ];
    const { kernel } = build.deps.ctx;
    const writable = storage.writableDir(id);
    const placeholders = makePlaceholders(kernel, rootfs, writable, [
      ...RUNTIME_MOUNT_POINTS,
      ...prepared.points,
      ...files.map((file) => ({ path: file.target, kind: "file" as const })),
    ]);
    const proxies = PROXY_ARGS.flatMap((name) => {
      const value = request.args?.[name];
      return value === undefined || Object.hasOwn(run.env, name) ? [] : [[name, value] as const];
    });
    const output = new OutputLines((stream, text) =>
      build.progress({ type: "build-output", image: build.image, stream, text }),
    );
    const exitCode = await runStep({
      id,
      rootfs,
      argv: run.argv,
      env: { ...Object.fromEntries(proxies), ...run.env, ...prepared.env },
      user: state.config.user,
      workdir: state.config.workingDir === "" ? "/" : state.config.workingDir,
      mounts: prepared.mounts,
      files,
      network: instruction.network === "default" ? stepNetwork(request) : instruction.network,
      extraHosts: request.extraHosts ?? [],
      ulimits: request.ulimits ?? [],
      shmSizeBytes: request.shmSizeBytes,
      privileged: instruction.security === "insecure",
      level: levelOf(label ?? ""),
      onOutput: (stream, data) => output.push(stream, data),
      signal: build.signal,
    });
    output.end();
    build.signal?.throwIfAborted();
    if (exitCode !== 0) {
      throw new TscError(
        "TSC_BUILD_FAILED",
        `process ${JSON.stringify(run.shown)} did not complete successfully: exit code: ${exitCode}`,
        {
          kind: "invalid-input",
          exitCode: 17,
          where: { file: scope.file, line: instruction.line, column: 1, text: instruction.source },
        },
      );
    }
    removePlaceholders(rootfs, writable, placeholders);
    await storage.unmountRootfs(id);
    return await layerFromRootfs(build.deps, state, id);
  } finally {
    await storage.removeRootfs(id);
  }
}

/** Cuts output into whole lines per stream; a line longer than 64 KiB is given out in pieces. */
class OutputLines {
  readonly #emit: (stream: "stdout" | "stderr", text: string) => void;
  readonly #open = { stdout: "", stderr: "" };
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor(emit: (stream: "stdout" | "stderr", text: string) => void) {
    this.#emit = emit;
  }

  push(stream: "stdout" | "stderr", data: Uint8Array): void {
    const lines = (this.#open[stream] + this.#decoders[stream].decode(data, { stream: true })).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) this.#emit(stream, line);
    const isLong = rest.length > 64 * 1024;
    if (isLong) this.#emit(stream, rest);
    this.#open[stream] = isLong ? "" : rest;
  }

  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#open[stream] !== "") this.#emit(stream, this.#open[stream]);
      this.#open[stream] = "";
    }
  }
}
