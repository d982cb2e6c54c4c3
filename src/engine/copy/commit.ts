/** `commit`: a container's changes as a new layer, its settings as the new image's. Volumes are never part of it. */

import { Readable } from "node:stream";
import { TscError } from "../../lib/errors.js";
import { given } from "../../lib/given.js";
import { encodeTarHeader, readTar, TAR_END, tarPadding } from "../../lib/tar.js";
import { applyChanges, emptyState, encodeImageConfig, type StageState, stateOfImage } from "../builder/index.js";
import type { EngineContext } from "../context.js";
import { hostPlatform, type Images } from "../images/index.js";
import type { Storage } from "../storage/index.js";
import type { ContainerSpec, ImageConfig } from "../types.js";

/** What a commit needs of the engine. */
export interface CommitDeps {
  readonly ctx: EngineContext;
  readonly storage: Storage;
  readonly images: Pick<Images, "find" | "commitLayer" | "createImage">;
}

/** The container that becomes an image. */
export interface CommitTarget {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  /** `sha256:…`; empty for a rootfs container. */
  readonly imageId: string;
  /** Stops all its processes until the returned function is called; undefined when it does not run or cannot be paused. */
  readonly pause?: () => Promise<() => Promise<void>>;
}

/** What docker's `commit` may be told. */
export interface CommitOptions {
  readonly reference?: string;
  readonly author?: string;
  readonly message?: string;
  readonly changes?: readonly string[];
  readonly pause?: boolean;
}

/** Empty files that a runtime makes to mount on; they would hide the image's own. */
const RUNTIME_FILES = ["etc/hosts", "etc/hostname", "etc/resolv.conf", "run/.containerenv", "etc/mtab"];

/** The new image's id. `TSC_COMMIT_ROOTFS` for a container that runs from a plain folder, `TSC_DOCKERFILE` for bad changes. */
export async function commitContainer(
  deps: CommitDeps,
  target: CommitTarget,
  options: CommitOptions = {},
): Promise<string> {
  if (target.spec.rootfs !== undefined) {
    throw new TscError("TSC_COMMIT_ROOTFS", `container ${target.name} runs from a folder and has no layers to commit`, {
      kind: "unsupported",
    });
  }
  const image = target.imageId === "" ? undefined : await deps.images.find(target.imageId);
  if (image === undefined) {
    throw new TscError("TSC_IMAGE_NOT_FOUND", `the image of container ${target.name} is not stored any more`, {
      kind: "not-found",
    });
  }
  const base: StageState =
    image.diffIds.length > 0 ? stateOfImage(image) : { ...emptyState(hostPlatform()), ...stateOfImage(image) };
  const config = configOf(base.config, target.spec);
  const changed = applyChanges({ ...base, config }, options.changes ?? []);

  const resume = options.pause === false ? undefined : await target.pause?.();
  let layer: { chainId: string; diffId: string };
  try {
    layer = await commitChanges(deps, target, base.chainId);
  } finally {
    await resume?.();
  }
  const createdAt = new Date().toISOString();
  const state: StageState = {
    ...changed,
    diffIds: [...base.diffIds, layer.diffId],
    chainId: layer.chainId,
    createdAt,
    author: options.author ?? "",
    history: [
      ...base.history,
      {
        created: createdAt,
        createdBy: [...config.entrypoint, ...config.command].join(" "),
        ...given({ comment: options.message, author: options.author }),
      },
    ],
  };
  const tags = options.reference === undefined ? [] : [options.reference];
  const made = await deps.images.createImage({ config: encodeImageConfig(state), topChainId: layer.chainId, tags });
  const { ctx } = deps;
  ctx.emit({
    type: "container",
    action: "commit",
    id: target.id,
    name: target.name,
    attributes: { ...target.spec.labels, name: target.name, imageID: made.id, imageRef: options.reference ?? "" },
  });
  return made.id;
}

async function commitChanges(deps: CommitDeps, target: CommitTarget, parent: string) {
  const { kernel } = deps.ctx;
  const { storage } = deps;
  const source = storage.writableDir(target.id);
  if (storage.cumulative) return await deps.images.commitLayer({ source, parent, mode: "copy" });
  const files = new Set([
    ...RUNTIME_FILES,
    ...(target.spec.mounts ?? []).map((mount) => mount.target.replace(/^\/+/, "")),
  ]);
  async function* kept(): AsyncGenerator<Buffer> {
    for await (const { entry, body } of readTar(kernel.packLayer({ source, overlay: true }) as AsyncIterable<Buffer>)) {
      const name = entry.name.replace(/^\.?\//, "");
      if (entry.type === "file" && entry.size === 0 && files.has(name)) continue;
      yield encodeTarHeader(entry);
      for await (const chunk of body) yield chunk;
      yield tarPadding(entry.size);
    }
    yield TAR_END;
  }
  await using staged = await storage.stageLayer(parent);
  await kernel.unpackLayer({
    target: staged.path,
    whiteouts: storage.whiteouts,
    squashOwners: storage.squashOwners,
    input: Readable.from(kept(), { objectMode: false }),
    compression: "none",
  });
  return await deps.images.commitLayer({ source: staged.path, parent, mode: "move" });
}

/** The image's settings with what the container was created with, as docker commit takes them. */
function configOf(image: ImageConfig, spec: ContainerSpec): ImageConfig {
  const env = new Map(
    image.env.map((item) => {
      const at = item.indexOf("=");
      return [item.slice(0, at), item.slice(at + 1)] as const;
    }),
  );
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    if (value === null) env.delete(name);
    else env.set(name, value);
  }
  return {
    ...image,
    env: [...env].map(([name, value]) => `${name}=${value}`),
    entrypoint: spec.entrypoint ?? image.entrypoint,
    command: spec.command ?? (spec.entrypoint === undefined ? image.command : []),
    user: spec.user ?? image.user,
    workingDir: spec.workingDir ?? image.workingDir,
    labels: { ...image.labels, ...spec.labels },
    exposedPorts: [
      ...new Set([
        ...image.exposedPorts,
        ...(spec.expose ?? []).map((port) => (port.includes("/") ? port : `${port}/tcp`)),
      ]),
    ],
    stopSignal: spec.stopSignal ?? image.stopSignal,
    ...given({ healthcheck: spec.healthcheck }),
  };
}
