/** SSH in builds: which agent each id of a request stands for, and the socket that `RUN --mount=type=ssh` puts into a step. */
import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf, TscError } from "../../../lib/errors.js";
import type { SshForward } from "../../api.js";
import type { EngineContext } from "../../context.js";
import { labelForAll, relabelOwn } from "../../selinux/index.js";
import { openScratch } from "../../storage/index.js";
import type { BindMount } from "../../types.js";
import { type Agent, keyAgent, remoteAgent, serveAgent } from "./agent.js";
import { KeyProblem, parsePrivateKey } from "./keys.js";

/** As BuildKit: a file that is longer is no key. */
const MAX_KEY_BYTES = 100 * 1024;

/** The agents of a request by id, keys read. `TSC_BUILD_SSH` for one that there is not, or a key that cannot be used. */
export function openAgents(forwards: readonly SshForward[], env: EngineContext["env"]): ReadonlyMap<string, Agent> {
  return new Map(forwards.map((forward) => [forward.id, openAgent(forward, env)]));
}

function openAgent({ id, paths }: SshForward, env: EngineContext["env"]): Agent {
  const agentSocket = env["SSH_AUTH_SOCK"] ?? "";
  const given = paths.length > 0 ? paths : [agentSocket];
  if (given[0] === "") {
    throw new TscError("TSC_BUILD_SSH", "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set", {
      kind: "invalid-input",
      hint: `start an agent (eval "$(ssh-agent)"; ssh-add), or give a key: ${id}=PATH`,
    });
  }
  const sockets = given.filter((path) => isSocket(id, path));
  if (sockets.length > 0 && given.length > 1) {
    throw refusal(
      `ssh ${id}: one agent's socket or any number of keys can be given, not ${given.length} that are mixed`,
    );
  }
  const [socket] = sockets;
  return socket === undefined ? keyAgent(given.map((path) => readKey(id, path))) : remoteAgent(socket);
}

function isSocket(id: string, path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (error) {
    throw unreadable(id, path, error);
  }
}

function readKey(id: string, path: string): ReturnType<typeof parsePrivateKey> {
  let text: string;
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.size > MAX_KEY_BYTES)
        throw refusal(`ssh ${id}: ${path} is neither a key nor an agent's socket`);
      text = readFileSync(descriptor, "utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(id, path, error);
  }
  try {
    return parsePrivateKey(text);
  } catch (error) {
    if (!(error instanceof KeyProblem)) throw error;
    throw refusal(`ssh ${id}: failed to parse ${path}: ${error.message}`);
  }
}

function unreadable(id: string, path: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  return new TscError("TSC_BUILD_SSH", `ssh ${id}: failed to open ${path}: ${messageOf(error)}`, {
    kind: "not-found",
    hint: "give the path of a private key or of an agent's socket",
  });
}

function refusal(message: string): TscError {
  return new TscError("TSC_BUILD_SSH", message, {
    kind: "invalid-input",
    hint: "give a private key without passphrase, or the socket of an agent that has the key (ssh-add)",
  });
}

/** The mount of a step's `type=ssh`; `stack` ends the listening. */
export async function mountAgent(
  { kernel, paths }: Pick<EngineContext, "kernel" | "paths">,
  agent: Agent,
  owner: { readonly target: string; readonly uid: number; readonly gid: number; readonly mode: number },
  stack: AsyncDisposableStack,
): Promise<BindMount> {
  const scratch = stack.use(openScratch(kernel, join(paths.storage, "tmp")).folder());
  // by descriptor: the path of a store may be longer than an address can be
  const folder = stack.use(kernel.openInRoot(scratch.path, ""));
  stack.use(await serveAgent(join(folder.path, "agent"), agent));
  const source = join(scratch.path, "agent");
  chownSync(source, owner.uid, owner.gid);
  chmodSync(source, owner.mode);
  const label = labelForAll();
  if (label !== undefined) await relabelOwn(kernel, source, label);
  return { type: "bind", source, target: owner.target, createHostPath: false };
}
