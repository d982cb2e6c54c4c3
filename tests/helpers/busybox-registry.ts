/** The registry that most tests need: for the whole test file, with one image or none yet. */
import { afterAll, beforeAll } from "@jest/globals";
import { debianRootfs } from "./debian.js";
import { CACHE, isRoot } from "./host.js";
import { pushImage, type Registry, startRegistry } from "./registry.js";

interface FileRegistry {
  readonly address: string;
  /** The image that was pushed. */
  readonly image: string;
}

/** A registry for the whole file, with busybox as `NAME:1`; call once at its top, before other set-up that needs it. */
export function fileRegistry(given: {
  readonly name?: string;
  readonly config?: Record<string, unknown>;
}): FileRegistry {
  const { name, config } = given;
  let registry: Registry | undefined;
  beforeAll(async () => {
    if (!isRoot) return;
    registry = await startRegistry();
    if (name === undefined) return;
    await pushImage(registry.address, name, "1", {
      layers: [debianRootfs("busybox", CACHE)],
      ...(config === undefined ? {} : { config }),
    });
  }, 60_000);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
  });
  return {
    get address() {
      return registry?.address ?? "";
    },
    get image() {
      return `${registry?.address}/${name}:1`;
    },
  };
}

/** The usual one: `busybox:1`. */
export const busyboxRegistry = (): FileRegistry => fileRegistry({ name: "busybox" });

/** `base:1`: busybox that sleeps until it is stopped. */
export const sleepingRegistry = (): FileRegistry =>
  fileRegistry({ name: "base", config: { Cmd: ["sleep", "600"], Env: ["PATH=/bin:/usr/bin"] } });
