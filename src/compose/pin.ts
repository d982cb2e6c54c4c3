/** Puts images by digest into an untyped model. Asks no registry. */
import type { Tree, TreeMap } from "./tree.js";
import { isMap, mapAt, newMap } from "./tree.js";

/** Service name → image to write; services that are not named keep theirs. */
export type PinnedImages = Readonly<Record<string, string | undefined>>;

/** The model with these images. */
export function pinTree(tree: TreeMap, images: PinnedImages): TreeMap {
  const services = newMap();
  for (const [name, service] of Object.entries(mapAt(tree, "services") ?? {})) {
    const image = images[name];
    services[name] = image === undefined || !isMap(service) ? service : { ...service, image };
  }
  return { ...tree, services };
}

/** Nothing but these images: an override file that fixes them. */
export function lockTree(tree: TreeMap, images: PinnedImages): TreeMap {
  const services = newMap();
  for (const name of Object.keys(mapAt(tree, "services") ?? {})) {
    const image = images[name];
    if (image !== undefined) services[name] = { image } satisfies Record<string, Tree>;
  }
  return { services };
}
