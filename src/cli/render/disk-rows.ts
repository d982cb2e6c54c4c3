/** Disk use in docker's columns, and per object under `--verbose`. Pure. */
import type { DiskUsage, UsageRow } from "../../engine/index.js";
import { LABEL } from "../../plan/labels.js";
import { splitReference } from "./image-rows.js";
import { joined, type Printed, printed, printedJson, printedLines } from "./printed.js";
import { type Row, type RowFormat, renderRows } from "./rows.js";
import { compileTemplate } from "./template.js";
import { ago, ellipsis, goQuote, goTime, humanSize, shortId } from "./units.js";

/** `system df`: docker's columns; templates may name podman's numbers of bytes as well. */
export const DF_FORMAT: RowFormat = {
  columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
  headers: {
    Type: "TYPE",
    TotalCount: "TOTAL",
    Active: "ACTIVE",
    Size: "SIZE",
    Reclaimable: "RECLAIMABLE",
    RawSize: "RAW SIZE",
    RawReclaimable: "RAW RECLAIMABLE",
  },
};

/** docker's fields, and podman's numbers of bytes. */
export function dfRow(row: UsageRow): Row {
  const share = row.bytes === 0 || row.type === "Build Cache" ? "" : ` (${percent(row)}%)`;
  return {
    Active: String(row.active),
    RawReclaimable: row.reclaimable,
    RawSize: row.bytes,
    Reclaimable: `${humanSize(row.reclaimable)}${share}`,
    Size: humanSize(row.bytes),
    TotalCount: String(row.total),
    Type: row.type,
  };
}

function percent({ reclaimable, bytes }: UsageRow): number {
  return Math.floor((reclaimable * 100) / bytes);
}

const IMAGES: RowFormat = {
  columns: ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"],
  headers: {
    ...{ Repository: "REPOSITORY", Tag: "TAG", ID: "IMAGE ID", CreatedSince: "CREATED", Size: "SIZE" },
    ...{ SharedSize: "SHARED SIZE", UniqueSize: "UNIQUE SIZE", Containers: "CONTAINERS" },
  },
};
const CONTAINERS: RowFormat = {
  columns: ["ID", "Image", "Command", "LocalVolumes", "Size", "CreatedSince", "Status", "Names", "Project"],
  headers: {
    ...{ ID: "CONTAINER ID", Image: "IMAGE", Command: "COMMAND", LocalVolumes: "LOCAL VOLUMES", Size: "SIZE" },
    ...{ CreatedSince: "CREATED", Status: "STATUS", Names: "NAMES", Project: "PROJECT" },
  },
};
const VOLUMES: RowFormat = {
  columns: ["Name", "Links", "Size", "Project"],
  headers: { Name: "VOLUME NAME", Links: "LINKS", Size: "SIZE", Project: "PROJECT" },
};
const CACHE: RowFormat = {
  columns: ["ID", "CacheType", "Size", "LastUsedSince", "InUse"],
  headers: { ID: "CACHE ID", CacheType: "CACHE TYPE", Size: "SIZE", LastUsedSince: "LAST USED", InUse: "IN USE" },
};

/** One table per kind; json and templates get docker's four lists in one object. */
export function dfDetails(usage: DiskUsage, format: string, now: number): Printed {
  const lists = detailLists(usage, now);
  const trimmed = format.trim();
  if (trimmed === "json") return joined([printedJson(lists), printed`\n`]);
  if (trimmed !== "" && trimmed !== "table") return joined([compileTemplate(format)(lists), printed`\n`]);
  const cacheBytes = usage.rows.find(({ type }) => type === "Build Cache")?.bytes ?? 0;
  return joined([
    printedLines(["Images space usage:", ""]),
    renderRows(lists.Images, IMAGES, ""),
    printedLines(["", "Containers space usage:", ""]),
    renderRows(lists.Containers, CONTAINERS, ""),
    printedLines(["", "Local Volumes space usage:", ""]),
    renderRows(lists.Volumes, VOLUMES, ""),
    printedLines(["", `Build cache usage: ${humanSize(cacheBytes)}`, ""]),
    renderRows(lists.BuildCache, CACHE, ""),
  ]);
}

function detailLists(
  { stored, shares }: DiskUsage,
  now: number,
): Readonly<Record<string, readonly Row[]>> & {
  readonly Images: readonly Row[];
  readonly Containers: readonly Row[];
  readonly Volumes: readonly Row[];
  readonly BuildCache: readonly Row[];
} {
  const ofImages = new Set(stored.images.flatMap(({ layers }) => layers));
  const project = (labels: Readonly<Record<string, string>>) => labels[LABEL.project] ?? "";
  return {
    Images: stored.images.map((image) => {
      const { shared = 0, unique = 0 } = shares.get(image.id) ?? {};
      const { repository, tag } = splitReference(image.tags[0] ?? "");
      return {
        Containers: String(stored.containers.filter(({ imageId }) => imageId === image.id).length),
        CreatedAt: goTime(image.createdAt),
        CreatedSince: ago(image.createdAt, now) || "N/A",
        ID: shortId(image.id),
        Repository: repository || "<none>",
        SharedSize: humanSize(shared),
        Size: humanSize(shared + unique),
        Tag: tag || "<none>",
        UniqueSize: humanSize(unique),
      };
    }),
    Containers: stored.containers.map((one) => ({
      Command: ellipsis(goQuote(one.command.join(" ")), 20),
      CreatedAt: goTime(one.createdAt),
      CreatedSince: ago(one.createdAt, now),
      ID: one.id.slice(0, 12),
      Image: one.imageName,
      LocalVolumes: String(one.volumes),
      Names: one.name,
      Project: project(one.labels),
      Size: humanSize(one.bytes),
      State: one.state,
      Status: one.state,
    })),
    Volumes: stored.volumes.map((one) => ({
      Driver: one.driver,
      Links: String(one.users.length),
      Name: one.name,
      Project: project(one.labels),
      Size: humanSize(one.bytes),
    })),
    BuildCache: [
      ...stored.cacheMounts.map((one) => ({
        CacheType: "cache mount",
        ID: one.name.slice(0, 12),
        InUse: String(one.inUse),
        LastUsedSince: ago(one.usedAt, now),
        Size: humanSize(one.bytes),
      })),
      ...stored.layers
        .filter(({ chainId }) => !ofImages.has(chainId))
        .map((one) => ({
          CacheType: "layer",
          ID: shortId(one.chainId),
          InUse: "false",
          LastUsedSince: ago(stored.steps.find(({ chainId }) => chainId === one.chainId)?.usedAt ?? "", now),
          Size: humanSize(one.bytes),
        })),
    ],
  };
}
