/** A pre_start command: a container of its own that must end with 0 before the service starts. */
import { TscError } from "../../lib/errors.js";
import type { OperationOf } from "../../plan/plan.js";
import type { ExecuteContext } from "../context.js";
import { LineSplitter } from "./hooks.js";

/** TSC_HOOK_FAILED names the service, the hook and the exit code. The container is removed whatever happens. */
export async function runHook(context: ExecuteContext, operation: OperationOf<"run-hook">): Promise<void> {
  const { containers } = context.engine;
  const { spec, service, hook } = operation;
  const left = await containers.inspect(spec.name).catch(() => undefined);
  if (left !== undefined) await containers.remove(left.id, { force: true });
  const id = await containers.create(spec);
  try {
    const name = `${service} ${hook}`;
    const lines = new LineSplitter((stream, text) => context.emit({ type: "output", of: "hook", name, stream, text }));
    await using session = await containers.attach(id);
    const output = (async () => {
      for await (const { stream, data } of session.output) lines.push(stream, data);
      lines.end();
    })();
    await containers.start(id);
    const code = await containers.wait(id, context.signal);
    await output;
    if (code !== 0) {
      throw new TscError("TSC_HOOK_FAILED", `service "${service}": ${hook} hook exited with status ${code}`);
    }
  } finally {
    await containers.remove(id, { force: true, volumes: false }).catch((error: unknown) => {
      context.emit({ type: "warning", message: `container ${spec.name} could not be removed: ${String(error)}` });
    });
  }
}
