/** An engine context with its own roots and the real kernel; nothing of the machine's configuration is read. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineContext } from "../../../src/engine/context.js";
import { type Images, openImages } from "../../../src/engine/images/index.js";
import { pathsBelow } from "../../../src/engine/paths.js";
import { openState } from "../../../src/engine/state/index.js";
import { openStorage, type Storage } from "../../../src/engine/storage/index.js";
import { type Kernel, openKernel } from "../../../src/kernel/index.js";

export interface TestEngine extends AsyncDisposable {
  readonly ctx: EngineContext;
  readonly storage: Storage;
  readonly images: Images;
  readonly warnings: string[];
  readonly events: { action: string; name: string }[];
  /** A second, independent opening of the same store, as another command would do. */
  reopen(): Promise<{ storage: Storage; images: Images }>;
}

export interface TestOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Changes the kernel, e.g. to watch calls. */
  readonly kernel?: (real: Kernel) => Kernel;
}

/** Opens storage and images under a fresh folder in /tmp, removed with everything mounted below it. */
export async function openTestEngine(options: TestOptions = {}): Promise<TestEngine> {
  const base = mkdtempSync(join(tmpdir(), "tsc-images-"));
  const root = join(base, "root");
  const runRoot = join(base, "run");
  const paths = pathsBelow(root, runRoot);
  mkdirSync(runRoot, { recursive: true });
  const real = openKernel({ nativeDir: fileURLToPath(new URL("../../../native/build", import.meta.url)) });
  const kernel = options.kernel?.(real) ?? real;
  const warnings: string[] = [];
  const events: { action: string; name: string }[] = [];
  const make = (): EngineContext => ({
    paths,
    kernel,
    state: openState(paths.database),
    // a home of its own: neither the machine's credentials nor its registries.conf
    env: {
      HOME: base,
      PATH: process.env.PATH,
      CONTAINERS_REGISTRIES_CONF: join(base, "registries.conf"),
      ...options.env,
    },
    rootless: kernel.isRootless,
    warn: (message) => warnings.push(message),
    emit: ({ action, name }) => events.push({ action, name }),
  });
  const ctx = make();
  const contexts = [ctx];
  const storage = await openStorage(ctx);
  const images = openImages(ctx, storage);
  const opened = [images];
  return {
    ctx,
    storage,
    images,
    warnings,
    events,
    async reopen() {
      const other = make();
      contexts.push(other);
      const otherStorage = await openStorage(other);
      const otherImages = openImages(other, otherStorage);
      opened.push(otherImages);
      return { storage: otherStorage, images: otherImages };
    },
    async [Symbol.asyncDispose]() {
      for (const one of opened) one[Symbol.dispose]();
      for (const one of contexts) one.state[Symbol.dispose]();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
