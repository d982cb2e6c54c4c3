/** Images as rows of docker's `image ls`. Pure. */
import type { ImageInfo } from "../../engine/types.js";
import type { Row, RowFormat } from "./rows.js";
import { ago, goTime, humanSize, shortId } from "./units.js";

/** `image ls`, docker's own columns; the other headings are of fields that a template may name. */
export const IMAGE_FORMAT: RowFormat = {
  columns: ["Repository", "Tag", "ID", "CreatedSince", "Size"],
  headers: {
    Repository: "REPOSITORY",
    Tag: "TAG",
    ID: "IMAGE ID",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
    Digest: "DIGEST",
    Containers: "CONTAINERS",
    SharedSize: "SHARED SIZE",
    UniqueSize: "UNIQUE SIZE",
    VirtualSize: "VIRTUAL SIZE",
  },
};

/** One row per name; an image without names has one row with `<none>`. */
export function imageRows(
  image: ImageInfo,
  options: { readonly now: number; readonly trunc: boolean },
): readonly Row[] {
  const names = image.tags.length === 0 ? [""] : image.tags;
  return names.map((name) => {
    const { repository, tag } = splitReference(name);
    const digest = image.repoDigests.find((one) => splitReference(one).repository === repository);
    const size = humanSize(image.sizeBytes);
    return {
      Containers: "N/A",
      CreatedAt: goTime(image.createdAt),
      CreatedSince: ago(image.createdAt, options.now) || "N/A",
      Digest: digest?.slice(digest.indexOf("@") + 1) ?? "<none>",
      ID: options.trunc ? shortId(image.id) : image.id,
      Repository: repository || "<none>",
      SharedSize: "N/A",
      Size: size,
      Tag: tag || "<none>",
      UniqueSize: "N/A",
      VirtualSize: humanSize(image.sizeBytes, 4),
    };
  });
}

/** `docker.io/library/redis:7` → `redis` and `7`, shortened as docker shows names. */
export function splitReference(reference: string): { readonly repository: string; readonly tag: string } {
  const named = reference.split("@")[0] ?? "";
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  const full = colon < 0 ? named : named.slice(0, colon);
  return {
    repository: full.replace(/^docker\.io\/(library\/)?/, ""),
    tag: colon < 0 ? "" : named.slice(colon + 1),
  };
}
