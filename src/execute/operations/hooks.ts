/** post_start and pre_stop commands, run inside the container one after the other. */
import { StringDecoder } from "node:string_decoder";
import { isTscError, TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { printable } from "../../lib/printable.js";
import type { HookRun } from "../../plan/plan.js";
import { cancelled, type ExecuteContext } from "../context.js";
import { OutputTail } from "./output-tail.js";

/**
 * TSC_HOOK_FAILED (`web hook exited with status 3: ` and the last it said) at the first command that fails; TSC_HOOK_TOO_LATE when it did because the container
 * has ended. Output is told line by line. An interrupted command waits for none of them: what runs is left to itself.
 */
export async function runHookCommands(
  context: ExecuteContext,
  id: string,
  name: string,
  hooks: HookRun,
): Promise<void> {
  try {
    await runCommands(context, id, name, hooks);
  } catch (cause) {
    if (!isTscError(cause, "TSC_HOOK_FAILED") && !isTscError(cause, "TSC_CONTAINER_NOT_RUNNING")) throw cause;
    const info = await context.engine.containers.inspect(id).catch(() => undefined);
    if (info?.state === "running" || info?.state === "paused") throw cause;
    const end = info === undefined ? "ended" : `ended (exit code ${info.exitCode})`;
    throw new TscError(
      "TSC_HOOK_TOO_LATE",
      `service "${hooks.service}": container ${name} ${end} before its hooks were done`,
      { cause, hint: "hooks run inside the container: its command must go on while they do" },
    );
  }
}

async function runCommands(context: ExecuteContext, id: string, name: string, hooks: HookRun): Promise<void> {
  const isInterrupted = () => context.signal?.aborted === true;
  for (const hook of hooks.commands) {
    if (isInterrupted()) throw cancelled();
    const env = Object.fromEntries(
      Object.entries(hook.environment ?? {}).filter((entry): entry is [string, string] => entry[1] !== null),
    );
    await using session = await context.engine.containers.exec(id, {
      argv: hook.command ?? [],
      env,
      ...given({ user: hook.user, workingDir: hook.working_dir, privileged: hook.privileged }),
    });
    const tails = { stdout: new OutputTail(), stderr: new OutputTail() };
    const lines = new LineSplitter((stream, text) => {
      tails[stream].push(text);
      context.emit({ type: "output", of: "hook", name, stream, text });
    });
    const leave = () => void session.detach().catch(() => undefined);
    context.signal?.addEventListener("abort", leave, { once: true });
    try {
      for await (const { stream, data } of session.output) lines.push(stream, data);
    } finally {
      context.signal?.removeEventListener("abort", leave);
    }
    lines.end();
    if (isInterrupted()) throw cancelled();
    const status = await session.exit;
    if (status !== 0) {
      const said = tails.stderr.text || tails.stdout.text;
      const words = `${hooks.service} hook exited with status ${status ?? "unknown"}`;
      throw new TscError("TSC_HOOK_FAILED", said === "" ? words : `${words}: ${said}`, {
        hint: `the command was: ${printable((hook.command ?? []).join(" "))}`,
      });
    }
  }
}

/** Cuts two byte streams into lines. Lives while one command's output is read. */
export class LineSplitter {
  readonly #emit: (stream: "stdout" | "stderr", text: string) => void;
  readonly #parts = {
    stdout: { decoder: new StringDecoder("utf8"), rest: "" },
    stderr: { decoder: new StringDecoder("utf8"), rest: "" },
  };

  constructor(emit: (stream: "stdout" | "stderr", text: string) => void) {
    this.#emit = emit;
  }

  push(stream: "stdout" | "stderr", data: Uint8Array): void {
    const part = this.#parts[stream];
    const lines = (part.rest + part.decoder.write(Buffer.from(data))).split("\n");
    part.rest = lines.pop() ?? "";
    for (const line of lines) this.#emit(stream, line.replace(/\r$/, ""));
    if (part.rest.length > 1 << 20) {
      this.#emit(stream, part.rest);
      part.rest = "";
    }
  }

  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const part = this.#parts[stream];
      const rest = part.rest + part.decoder.end();
      if (rest !== "") this.#emit(stream, rest);
      part.rest = "";
    }
  }
}
