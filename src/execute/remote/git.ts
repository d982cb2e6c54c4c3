/** Compose files in git repositories, by the git program: one commit, without history, into the cache. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { printable } from "../../lib/printable.js";
import { runProgram } from "../../lib/program.js";
import { cachedFolder, composeFileIn } from "./cache.js";
import type { RemoteSurroundings } from "./surroundings.js";

const TIMEOUT_MS = 300_000;

interface GitReference {
  /** Without what it says of who asks, where that is for git to keep from sight. */
  readonly url: string;
  readonly login?: GitLogin;
  /** Branch, tag or commit; empty is the default branch. */
  readonly ref: string;
  /** Folder or file in the repository. */
  readonly path: string;
}

interface GitLogin {
  /** `https://host`: nobody else gets it, whoever redirects. */
  readonly origin: string;
  readonly user: string;
  /** Undefined leaves it to the user's own credential helpers. */
  readonly password?: string;
}

/** `URL[#[ref][:path]]`, the form of git build contexts. */
function parseGitReference(reference: string): GitReference {
  const hash = reference.indexOf("#");
  const fragment = hash < 0 ? "" : reference.slice(hash + 1);
  let url = hash < 0 ? reference : reference.slice(0, hash);
  if (url.startsWith("github.com/")) url = `https://${url}`;
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const path = colon < 0 ? "" : fragment.slice(colon + 1);
  const isOdd = url.startsWith("-") || /[\s\0]/.test(url) || !/^[\w./+@-]*$/.test(ref) || /^[-.]|\.\./.test(ref);
  if (isOdd || path.split("/").includes("..") || path.startsWith("/")) {
    throw new TscError("TSC_REMOTE_INVALID", `${printable(reference)} is no valid git reference`, {
      kind: "invalid-input",
      hint: "write URL#branch:folder",
    });
  }
  return { ...withoutLogin(url, reference), ref, path };
}

/** Every user of the machine reads a program's arguments: user and password of a URL go to git another way. */
function withoutLogin(url: string, reference: string): Pick<GitReference, "url" | "login"> {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)@([^/?@]*)(.*)$/is.exec(url);
  if (match === null) return { url };
  const [, scheme = "", login = "", host = "", rest = ""] = match;
  const colon = login.indexOf(":");
  if (!/^https?$/i.test(scheme)) {
    if (colon < 0) return { url };
    throw new TscError("TSC_REMOTE_INVALID", `${printable(reference)} has a password, which ${scheme} does not take`, {
      kind: "invalid-input",
      hint: "use an ssh key, or https",
    });
  }
  const origin = `${scheme}://${host}`;
  const user = decoded(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? undefined : decoded(login.slice(colon + 1));
  // Git's helpers speak in lines: another line would be another field (CVE-2020-5260).
  if (/[\p{Cc}]/u.test(user + (password ?? ""))) {
    throw new TscError("TSC_REMOTE_INVALID", `${printable(reference)} has control characters in its user or password`, {
      kind: "invalid-input",
    });
  }
  return { url: `${origin}${rest}`, login: { origin, user, ...given({ password }) } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Git's settings by environment (git-config(1), GIT_CONFIG_COUNT): the shell that git asks gets names of variables, not what is in them. */
function loginEnvironment(login: GitLogin | undefined): Record<string, string> {
  if (login === undefined) return {};
  const { origin, user, password } = login;
  const settings =
    password === undefined
      ? [[`credential.${origin}.username`, user]]
      : [
          ["credential.helper", ""],
          [
            `credential.${origin}.helper`,
            `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$TSC_GIT_USER" "$TSC_GIT_PASSWORD"; }; f`,
          ],
        ];
  return {
    ...(password === undefined ? {} : { TSC_GIT_USER: user, TSC_GIT_PASSWORD: password }),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key = "", value = ""], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Asks the remote for the commit of the ref each time; a commit is fetched once. */
export async function loadGit(
  reference: string,
  { env, signal }: RemoteSurroundings,
): Promise<{ readonly path: string; readonly digest: string; readonly folder: string }> {
  const { url, login, ref, path } = parseGitReference(reference);
  const surroundings = { ...env, ...loginEnvironment(login) };
  const run = (args: readonly string[], cwd?: string) => git(args, surroundings, signal, url, cwd);
  const commit = /^[0-9a-f]{40}$/.test(ref) ? ref : await resolveRef(run, url, ref);
  const key = join("git", createHash("sha256").update(url).digest("hex").slice(0, 32), commit);
  const folder = await cachedFolder(env, key, async (temporary) => {
    await run(["init", "--quiet", temporary]);
    await run(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url, commit], temporary);
    await run(["checkout", "--quiet", "--detach", commit], temporary);
  });
  return { path: await composeFileIn(folder, path === "" ? "." : path, printable(reference)), digest: commit, folder };
}

async function resolveRef(
  run: (args: readonly string[]) => Promise<string>,
  url: string,
  ref: string,
): Promise<string> {
  const wanted = ref === "" ? "HEAD" : ref;
  const lines = (await run(["ls-remote", "--", url, wanted, `refs/heads/${wanted}`, `refs/tags/${wanted}^{}`]))
    .split("\n")
    .map((line) => line.split("\t"));
  // an annotated tag's commit, then branch, tag, HEAD
  for (const name of [`refs/tags/${wanted}^{}`, `refs/heads/${wanted}`, `refs/tags/${wanted}`, wanted]) {
    const found = lines.find(([, line]) => line === name)?.[0];
    if (found !== undefined && /^[0-9a-f]{40}$/.test(found)) return found;
  }
  throw new TscError("TSC_REMOTE_GIT", `${printable(url)} has no branch or tag ${JSON.stringify(wanted)}`, {
    kind: "not-found",
    hint: "name a branch, a tag or a whole commit after #",
  });
}

/**
 * How git may reach a remote; nothing else, whatever redirects, submodules or configuration say. ssh is always among them because
 * people rewrite https to it (`url.….insteadOf`); an https remote never ends at plain http.
 */
function transports(url: string): string {
  const scheme = /^(http|git):\/\//.exec(url)?.[1];
  return ["https", "ssh", ...(scheme === undefined ? [] : [scheme])].join(":");
}

/** Variables that make git work on another repository than the fetched one, or change what it is (`git rev-parse --local-env-vars`). */
const REPOSITORY_VARIABLES = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_NAMESPACE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_QUARANTINE_PATH",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_TEMPLATE_DIR",
  "GIT_WORK_TREE",
] as const;

/**
 * The git program without prompts, hooks and submodules, and the user's url rewriting left as it is. A redirect is followed once, before
 * credentials are asked for: helpers are asked for the host that wants them.
 */
async function git(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
  url: string,
  cwd?: string,
): Promise<string> {
  const settings = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "http.followRedirects=initial",
    "init.templateDir=",
    "submodule.recurse=false",
  ];
  const safe = settings.flatMap((setting) => ["-c", setting]);
  const result = await runProgram("git", [...safe, ...args], {
    // a repository that this program itself runs in (hooks) must not be taken for the fetched one
    env: {
      ...env,
      ...Object.fromEntries(REPOSITORY_VARIABLES.map((name) => [name, undefined])),
      GIT_ALLOW_PROTOCOL: transports(url),
      GIT_TERMINAL_PROMPT: "0",
      LC_ALL: "C",
    },
    timeoutMs: TIMEOUT_MS,
    maxOutput: 16 * 1024 * 1024,
    signal,
    ...given({ cwd }),
  });
  if (result.exitCode === 0) return result.stdout;
  if (result.errno === "ENOENT") {
    throw new TscError("TSC_REMOTE_GIT", "git is not installed", { kind: "unavailable", hint: "apt-get install git" });
  }
  const why = printable(result.stderr.trim().split("\n").at(-1) ?? "", 400) || "git failed";
  // Without git's own error: it repeats arguments and output as they were.
  throw new TscError("TSC_REMOTE_GIT", `cannot fetch ${printable(url)}: ${why}`, { kind: "unavailable" });
}
