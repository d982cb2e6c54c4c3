/** RUN --mount: sources opened for one step and released after it. No mount's content ever reaches the layer. */

import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { createPace } from "../../lib/pace.js";
import { labelForAll, relabelOwn } from "../selinux/index.js";
import { openScratch } from "../storage/index.js";
import type { FileInjection, MountSpec } from "../types.js";
import { openCacheFolder } from "./cache-mounts.js";
import { lookUp, walk } from "./context.js";
import type { StepScope } from "./deps.js";
import type { RunInstruction, RunMount } from "./dockerfile/instructions.js";
import { dockerfileError } from "./dockerfile/parse.js";
import { IGNORE_NOTHING } from "./dockerignore.js";
import { labelledSource } from "./labelled-source.js";
import type { MountPoint } from "./placeholders.js";
import { mountAgent } from "./ssh/index.js";
import { environmentOf } from "./state.js";
import { placeIn } from "./steps/place.js";
import { type SourceItem, treeItem } from "./steps/sources.js";
import { copyVisible } from "./visible-copy.js";

const AGENT_VARIABLE = "SSH_AUTH_SOCK";

/** The mounts of a RUN, ready to be used; disposal ends what was prepared for them. */
export interface PreparedMounts extends AsyncDisposable {
  readonly mounts: readonly MountSpec[];
  readonly files: readonly FileInjection[];
  /** Where `mounts` go. */
  readonly points: readonly MountPoint[];
  /** Variables of `type=secret,env=NAME`. */
  readonly env: Readonly<Record<string, string>>;
}

/** What of the mounts decides the step's result: definitions and the content of bind sources; secrets only by id. */
export async function mountsKey(scope: StepScope, instruction: RunInstruction): Promise<unknown[]> {
  const parts: unknown[] = [];
  for (const mount of instruction.mounts) {
    const options = expanded(scope, mount);
    parts.push([mount.type, options]);
    if (mount.type !== "bind") continue;
    const named = options.from === undefined ? undefined : await scope.build.treeOf(options.from, scope.stage);
    if (named !== undefined && named.chainId !== "") {
      parts.push(named.chainId);
      continue;
    }
    const { kernel } = scope.build.deps.ctx;
    const tree = named?.tree ?? scope.build.context;
    const entry = lookUp(kernel, tree, options.source ?? "");
    if (entry === undefined) continue;
    const pace = createPace(scope.build.signal);
    for await (const below of entry.stat.isDirectory() ? walk(kernel, tree, entry, pace) : [entry]) {
      const item: SourceItem = treeItem(tree, below, below.path);
      parts.push([item.relative, item.type, item.mode, item.linkName, await item.digest()]);
    }
  }
  return parts;
}

/** Opens every mount. Dispose after the step, also when it failed. */
export async function prepareMounts(scope: StepScope, instruction: RunInstruction): Promise<PreparedMounts> {
  const stack = new AsyncDisposableStack();
  const mounts: MountSpec[] = [];
  const points: MountPoint[] = [];
  const files: FileInjection[] = [];
  const env: Record<string, string> = {};
  let agents = 0;
  try {
    for (const mount of instruction.mounts) {
      const options = expanded(scope, mount);
      switch (mount.type) {
        case "tmpfs": {
          const size = options.size === undefined ? undefined : parseSize(scope, instruction, options.size);
          const target = targetOf(scope, options);
          mounts.push({ type: "tmpfs", target, ...given({ sizeBytes: size }) });
          points.push({ path: target, kind: "directory" });
          break;
        }
        case "bind": {
          const bind = await prepareBind(scope, instruction, options, stack);
          mounts.push(bind.mount);
          points.push({ path: bind.mount.target, kind: bind.kind });
          break;
        }
        case "cache": {
          const cache = await prepareCache(scope, instruction, options, stack);
          mounts.push(cache);
          points.push({ path: cache.target, kind: "directory" });
          break;
        }
        case "secret":
          prepareSecret(scope, instruction, options, files, env);
          break;
        case "ssh":
          await prepareAgent(scope, instruction, options, { mounts, points, env }, agents++, stack);
      }
    }
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return { mounts, points, files, env, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function expanded(scope: StepScope, mount: RunMount): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mount.options).map(([key, value]) => [key, key === "from" ? value : scope.expand(value)]),
  );
}

function targetOf(scope: StepScope, options: Record<string, string>): string {
  return placeIn(scope.state.config.workingDir, options.target ?? "", (message) =>
    dockerfileError(scope.file, scope.place, `RUN --mount: ${message}`),
  );
}

async function prepareBind(
  scope: StepScope,
  instruction: RunInstruction,
  options: Record<string, string>,
  stack: AsyncDisposableStack,
): Promise<{ mount: MountSpec; kind: MountPoint["kind"] }> {
  const { kernel } = scope.build.deps.ctx;
  const named = options.from === undefined ? undefined : await scope.build.treeOf(options.from, scope.stage);
  const tree = named?.tree ?? scope.build.context;
  // links in the source are resolved inside the tree (CVE-2024-1753)
  const entry = lookUp(kernel, tree, options.source ?? "");
  if (entry === undefined) {
    throw dockerfileError(scope.file, instruction, `RUN --mount: source ${JSON.stringify(options.source)} not found`);
  }
  const isWritable = options.rw === "true";
  const target = targetOf(scope, options);
  const kind = entry.stat.isDirectory() ? "directory" : "file";
  const isFiltered = kind === "directory" && tree.ignore !== IGNORE_NOTHING;
  const root = isFiltered ? await scope.build.visible(tree, entry) : tree.root;
  const path = isFiltered ? "" : entry.path;
  if (!isWritable || kind === "file") {
    const below = path === "" ? {} : { subpath: path };
    const source = await labelledSource(scope.build.deps, root, stack);
    return { mount: { type: "bind", source, ...below, target, readOnly: true, createHostPath: false }, kind };
  }
  // writes go to a throw-away upper layer
  const scratch = openScratch(kernel, join(scope.build.deps.ctx.paths.storage, "tmp")).folder().path;
  const [upper, work, merged] = ["upper", "work", "merged"].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [upper, work, merged]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  stack.defer(async () => {
    kernel.unmount(merged, { detach: true });
    await kernel.removeTree(scratch);
  });
  using lower = kernel.openInRoot(root, path);
  const label = labelForAll();
  await kernel.mountOverlay({
    lower: [lower.path],
    upper,
    work,
    target: merged,
    userxattr: kernel.isRootless,
    ...given({ context: label }),
  });
  return { mount: { type: "bind", source: merged, target, createHostPath: false }, kind };
}

async function prepareCache(
  scope: StepScope,
  instruction: RunInstruction,
  options: Record<string, string>,
  stack: AsyncDisposableStack,
): Promise<MountSpec> {
  const target = targetOf(scope, options);
  const { folder, lock } = await openCacheFolder(scope.build.deps.ctx, {
    id: options.id ?? target,
    sharing: options.sharing ?? "shared",
    signal: scope.build.signal,
  });
  stack.defer(() => lock.release());
  if (readdirSync(folder).length === 0) {
    if (options.from !== undefined) await seedCache(scope, instruction, options, folder);
    chownSync(folder, Number(options.uid ?? 0), Number(options.gid ?? 0));
    chmodSync(folder, Number.parseInt(options.mode ?? "755", 8));
  }
  const label = labelForAll();
  if (label !== undefined) await relabelOwn(scope.build.deps.ctx.kernel, folder, label);
  const readOnly = options.ro === "true";
  return { type: "bind", source: folder, target, readOnly, createHostPath: false };
}

async function seedCache(
  scope: StepScope,
  instruction: RunInstruction,
  options: Record<string, string>,
  folder: string,
): Promise<void> {
  const { kernel } = scope.build.deps.ctx;
  const { tree } = await scope.build.treeOf(options.from ?? "", scope.stage);
  const entry = lookUp(kernel, tree, options.source ?? "");
  if (entry?.stat.isDirectory() !== true) {
    throw dockerfileError(
      scope.file,
      instruction,
      `RUN --mount: source ${JSON.stringify(options.source)} is not a folder`,
    );
  }
  if (tree.ignore !== IGNORE_NOTHING) {
    await copyVisible(scope.build.deps, tree, entry, folder, scope.build.signal);
    return;
  }
  using source = kernel.openInRoot(tree.root, entry.path);
  await kernel.unpackLayer({
    target: folder,
    whiteouts: "apply",
    input: kernel.packLayer({ source, overlay: false }),
    compression: "none",
  });
}

/** The variable names the first agent's place, also where the step can do without one: as in BuildKit. */
async function prepareAgent(
  scope: StepScope,
  instruction: RunInstruction,
  options: Record<string, string>,
  { mounts, points, env }: { mounts: MountSpec[]; points: MountPoint[]; env: Record<string, string> },
  index: number,
  stack: AsyncDisposableStack,
): Promise<void> {
  const id = options.id ?? "default";
  const target = options.target === undefined ? `/run/buildkit/ssh_agent.${index}` : targetOf(scope, options);
  if (!Object.hasOwn(environmentOf(scope.state.config.env), AGENT_VARIABLE)) env[AGENT_VARIABLE] ??= target;
  const agent = scope.build.agents.get(id);
  if (agent === undefined) {
    if (options.required !== "true") return;
    throw new TscError("TSC_BUILD_SSH", `${scope.file}:${instruction.line}: unset ssh forward key ${id}`, {
      kind: "not-found",
      hint: `give it to the build: build.ssh or --ssh ${id}=PATH`,
    });
  }
  const owner = {
    target,
    uid: Number(options.uid ?? 0),
    gid: Number(options.gid ?? 0),
    mode: Number.parseInt(options.mode ?? "600", 8),
  };
  mounts.push(await mountAgent(scope.build.deps.ctx, agent, owner, stack));
  points.push({ path: target, kind: "file" });
}

function prepareSecret(
  scope: StepScope,
  instruction: RunInstruction,
  options: Record<string, string>,
  files: FileInjection[],
  env: Record<string, string>,
): void {
  const id = options.id ?? options.source ?? posix.basename(options.target ?? "");
  const secret = scope.build.request.secrets?.find((known) => known.id === id);
  if (secret === undefined) {
    if (options.required !== "true") return;
    throw new TscError("TSC_BUILD_SECRET", `${scope.file}:${instruction.line}: secret ${id}: not found`, {
      kind: "not-found",
      hint: `give it to the build under secrets: with id ${id}`,
    });
  }
  if (options.env !== undefined && secret.content !== undefined) env[options.env] = secret.content;
  if (options.env !== undefined && options.target === undefined && secret.content !== undefined) return;
  files.push({
    target: options.target === undefined ? `/run/secrets/${id}` : targetOf(scope, options),
    ...given({ content: secret.content }),
    ...(secret.sourcePath === undefined || secret.content !== undefined ? {} : { sourcePath: secret.sourcePath }),
    uid: Number(options.uid ?? 0),
    gid: Number(options.gid ?? 0),
    mode: Number.parseInt(options.mode ?? "400", 8),
  });
}

function parseSize(scope: StepScope, instruction: RunInstruction, text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text);
  if (match === null)
    throw dockerfileError(scope.file, instruction, `RUN --mount: invalid size ${JSON.stringify(text)}`);
  const scale = { "": 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 }[(match[2] ?? "").toLowerCase()] ?? 1;
  return Number(match[1]) * scale;
}
