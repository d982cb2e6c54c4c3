/** Rules on images. */
import type { Rule } from "./types.js";
import { entries } from "./walk.js";

/** The tag of an image reference; empty when it has none, undefined when it is pinned by digest. */
function tagOf(image: string): string | undefined {
  if (image.includes("@")) return undefined;
  const last = image.slice(image.lastIndexOf("/") + 1);
  const colon = last.indexOf(":");
  return colon < 0 ? "" : last.slice(colon + 1);
}

/** Image references that move. */
export const imageRules: readonly Rule[] = [
  {
    code: "TSC_CHECK_IMAGE_LATEST",
    level: "warning",
    title: "an image without a fixed version",
    help: "name a version, or pin a digest: tscompose config --lock-image-digests",
    find: ({ project }) =>
      entries(project.services).flatMap(([name, { image, build }]) => {
        if (image === undefined || image === "" || build !== undefined) return [];
        const tag = tagOf(image);
        if (tag !== "" && tag !== "latest") return [];
        const what = tag === "" ? "has no tag, which means latest" : "uses the tag latest";
        return [
          {
            message: `service ${JSON.stringify(name)}: image ${image} ${what}: another start may bring another version`,
            path: ["services", name, "image"],
          },
        ];
      }),
  },
];
