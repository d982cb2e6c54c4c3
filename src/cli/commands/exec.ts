/** `exec`: another process in a running container. */
import type { ExecSpec } from "../../engine/types.js";
import type { CommandSpec, OptionSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { projectName, serviceContainer } from "../select.js";
import { checkTty } from "../tty.js";

/** The options that `container exec` has as well. */
export const processOptions: readonly OptionSpec[] = [
  { long: "detach", short: "d", help: "Detached mode: Run command in the background" },
  { long: "env", short: "e", value: "list", placeholder: "stringArray", help: "Set environment variables" },
  { long: "privileged", help: "Give extended privileges to the process" },
  { long: "user", short: "u", value: "string", help: "Run the command as this user" },
  { long: "workdir", short: "w", value: "string", help: "Path to workdir directory for this command" },
];

export const command: CommandSpec = {
  name: "exec",
  summary: "Execute a command in a running container",
  example: "tscompose exec web sh",
  stopAtFirstArgument: true,
  args: [
    { name: "SERVICE", required: true, complete: "service" },
    { name: "COMMAND", required: true },
    { name: "ARGS", variadic: true },
  ],
  options: [
    ...processOptions,
    { long: "index", value: "int", help: "Index of the container if service has multiple replicas" },
    { long: "interactive", short: "i", default: true, hidden: true, help: "Keep STDIN open even if not attached" },
    { long: "no-tty", short: "T", help: "Disable pseudo-TTY allocation. By default a TTY is allocated on a terminal" },
    { long: "tty", short: "t", default: true, hidden: true, help: "Allocate a pseudo-TTY" },
  ],
  run: async (ctx, args, options) => {
    const [service = "", ...argv] = args;
    const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
    const info = await serviceContainer(engine, name, service, { index: options.number("index") });
    // docker compose's exec has a --tty that asks for nothing; what asks is --no-tty=false
    const asked = options.given("no-tty") && !options.flag("no-tty");
    const tty = asked || (options.flag("tty") && !options.flag("no-tty") && ctx.isTty.stdin && ctx.isTty.stdout);
    return await execProcess(ctx, info.id, argv, options, { tty, stdin: options.flag("interactive") });
  },
};

/** Runs `argv` in a container with the shared options; the command's exit code. */
export async function execProcess(
  ctx: CliContext,
  id: string,
  argv: readonly string[],
  options: ParsedOptions,
  mode: { readonly tty: boolean; readonly stdin: boolean; readonly detachKeys?: string | undefined },
): Promise<number> {
  const engine = await ctx.engine();
  const detach = options.flag("detach");
  if (!detach) checkTty(ctx, mode);
  const user = options.text("user");
  const workingDir = options.text("workdir");
  const spec: ExecSpec = {
    argv,
    env: environment(options.list("env"), ctx.env),
    tty: mode.tty && !detach,
    stdin: mode.stdin && !detach,
    privileged: options.flag("privileged"),
    detach,
    ...(user === undefined || user === "" ? {} : { user }),
    ...(workingDir === undefined || workingDir === "" ? {} : { workingDir }),
    ...(mode.tty && ctx.isTty.stdout
      ? { size: { rows: ctx.stdout.rows ?? 24, columns: ctx.stdout.columns ?? 80 } }
      : {}),
  };
  await using session = await engine.containers.exec(id, spec);
  if (detach) return 0;
  const { joinSession } = await import("../stdio.js");
  let interrupted = 0;
  const code = await joinSession(ctx, session, {
    tty: mode.tty,
    stdin: mode.stdin,
    detachKeys: mode.detachKeys,
    onSignal: (name) => {
      interrupted = name === "SIGTERM" ? 143 : name === "SIGHUP" ? 129 : 130;
      session.detach().catch(() => undefined);
    },
  });
  return interrupted > 0 ? interrupted : (code ?? 0);
}

/** `KEY=value` as given; a bare `KEY` takes the value from our own environment, if it has one. */
export function environment(
  entries: readonly string[],
  own: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    const key = equals < 0 ? entry : entry.slice(0, equals);
    const value = equals < 0 ? own[entry] : entry.slice(equals + 1);
    if (value !== undefined) out[key] = value;
  }
  return out;
}
