/** The registry that most tests need: one image, for the whole test file. */
import { afterAll, beforeAll } from "@jest/globals";
import { debianRootfs } from "./debian.js";
import { CACHE, isRoot } from "./host.js";
import { pushImage, type Registry, startRegistry } from "./registry.js";

/** A registry with `busybox:1` for the whole file; call once at its top. */
export function busyboxRegistry(): { readonly address: string; readonly image: string } {
  let registry: Registry | undefined;
  beforeAll(async () => {
    if (!isRoot) return;
    registry = await startRegistry();
    await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
  }, 60_000);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
  });
  return {
    get address() {
      return registry?.address ?? "";
    },
    get image() {
      return `${registry?.address}/busybox:1`;
    },
  };
}
