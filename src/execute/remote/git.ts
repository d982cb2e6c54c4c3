/** Compose files in git repositories, by the git program: one commit, without history, into the cache. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import { cachedFolder, composeFileIn } from "./cache.js";
import type { RemoteSurroundings } from "./index.js";

const TIMEOUT_MS = 300_000;

interface GitReference {
  readonly url: string;
  /** Branch, tag or commit; empty is the default branch. */
  readonly ref: string;
  /** Folder or file in the repository. */
  readonly path: string;
}

/** `URL[#[ref][:path]]`, the form of git build contexts. */
export function parseGitReference(reference: string): GitReference {
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
  return { url, ref, path };
}

/** Asks the remote for the commit of the ref each time; a commit is fetched once. */
export async function loadGit(
  reference: string,
  { env, signal }: RemoteSurroundings,
): Promise<{ readonly path: string; readonly digest: string; readonly folder: string }> {
  const { url, ref, path } = parseGitReference(reference);
  const run = (args: readonly string[], cwd?: string) => git(args, env, signal, url, cwd);
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
function git(
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
  return new Promise((resolve, reject) => {
    execFile(
      "git",
      [...safe, ...args],
      {
        // a repository that this program itself runs in (hooks) must not be taken for the fetched one
        env: {
          ...env,
          ...Object.fromEntries(REPOSITORY_VARIABLES.map((name) => [name, undefined])),
          GIT_ALLOW_PROTOCOL: transports(url),
          GIT_TERMINAL_PROMPT: "0",
          LC_ALL: "C",
        },
        timeout: TIMEOUT_MS,
        maxBuffer: 16 * 1024 * 1024,
        ...(cwd === undefined ? {} : { cwd }),
        ...(signal === undefined ? {} : { signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if ((error as NodeJS.ErrnoException).code === "ENOENT") {
          reject(
            new TscError("TSC_REMOTE_GIT", "git is not installed", {
              kind: "unavailable",
              hint: "apt-get install git",
            }),
          );
        } else {
          const why = printable(stderr.trim().split("\n").at(-1) ?? "", 400) || "git failed";
          reject(
            new TscError("TSC_REMOTE_GIT", `cannot fetch ${printable(url)}: ${why}`, {
              kind: "unavailable",
              cause: error,
            }),
          );
        }
      },
    );
  });
}
