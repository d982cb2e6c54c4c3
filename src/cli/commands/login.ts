/** `login`: credentials for a registry, checked and kept. */
import { TscError } from "../../lib/errors.js";
import type { CommandSpec, OptionSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { printed } from "../render/printed.js";
import { usage } from "../usage.js";

const DEFAULT_REGISTRY = "docker.io";

/** `--authfile` of `login` and `logout`. */
export const authFileOption: OptionSpec = {
  long: "authfile",
  value: "string",
  complete: "file",
  help: "File of credentials to use, instead of those of podman and docker",
};

/** The registry and file that a call names. */
export function loginTarget(ctx: CliContext, registry: string | undefined, options: ParsedOptions) {
  const authFile = options.text("authfile");
  return {
    registry: registry ?? DEFAULT_REGISTRY,
    ...(authFile === undefined || authFile === "" ? {} : { authFile: absolute(ctx.cwd, authFile) }),
  };
}

function absolute(cwd: string, path: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}

export const command: CommandSpec = {
  name: "login",
  engine: true,
  summary: "Authenticate to a registry",
  example: "tscompose login -u me --password-stdin registry.example.com < token",
  args: [{ name: "SERVER" }],
  options: [
    authFileOption,
    { long: "get-login", help: "Print the user name of the stored login and do nothing else" },
    { long: "password", short: "p", value: "string", help: "Password or Personal Access Token (PAT)" },
    { long: "password-stdin", help: "Take the Password or Personal Access Token (PAT) from stdin" },
    { long: "tls-verify", default: true, help: "Use https and check the registry's certificate" },
    { long: "username", short: "u", value: "string", help: "Username" },
  ],
  run: login,
};

async function login(ctx: CliContext, args: readonly string[], options: ParsedOptions): Promise<number> {
  const target = { ...loginTarget(ctx, args[0], options), insecure: !options.flag("tls-verify") };
  const { logins } = await ctx.engine();
  if (options.flag("get-login")) {
    const user = await logins.userOf(target);
    if (user === undefined) throw notLoggedIn(target.registry);
    ctx.print(printed`${user}\n`);
    return 0;
  }
  checkFlags(options);
  if (!options.given("username") && !options.given("password")) {
    const user = await logins.existing(target);
    if (user !== undefined) {
      ctx.print(printed`Existing credentials are valid. Already logged in to ${target.registry}\n`);
      return 0;
    }
  }
  if (options.given("password")) ctx.warn("a password on the command line can be seen by others: use --password-stdin");
  const { username, password } = await ask(ctx, options);
  const { place, encrypted } = await logins.login({ ...target, username, password });
  if (!encrypted)
    ctx.warn(`the login is stored unencrypted in '${place}': a credential helper would keep it encrypted`);
  ctx.print(printed`Login Succeeded\n`);
  return 0;
}

/** "not logged in to X". */
export function notLoggedIn(registry: string): TscError {
  return new TscError("TSC_NOT_LOGGED_IN", `not logged in to ${registry}`, { kind: "not-found" });
}

function checkFlags(options: ParsedOptions): void {
  if (options.given("password") && options.flag("password-stdin")) {
    throw misused("--password and --password-stdin are mutually exclusive");
  }
  if (options.flag("password-stdin") && !options.given("username")) {
    throw misused("must provide --username with --password-stdin");
  }
}

async function ask(
  ctx: CliContext,
  options: ParsedOptions,
): Promise<{ readonly username: string; readonly password: string }> {
  const { readLine, readSecret, readAll } = await import("../ask.js");
  const given = { username: options.text("username"), password: options.text("password") };
  const isComplete = given.username !== undefined && (given.password !== undefined || options.flag("password-stdin"));
  if (!isComplete && !ctx.isTty.stdin) throw misused("cannot perform an interactive login from a non TTY device");
  const username = given.username ?? (await readLine(ctx, printed`Username: `));
  if (username === "") throw misused("username is required");
  const password = options.flag("password-stdin")
    ? (await readAll(ctx)).replace(/\r?\n$/, "")
    : (given.password ?? (await readSecret(ctx, printed`Password: `)));
  if (password === "") throw misused("password is required");
  return { username, password };
}

function misused(message: string): TscError {
  return usage(message, "see 'tscompose login --help'");
}
