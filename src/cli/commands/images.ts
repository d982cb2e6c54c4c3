/** `images`: the images that the project's containers were made from. */
import { given } from "../../lib/given.js";
import type { CommandSpec, ParsedOptions } from "../command.js";
import type { CliContext } from "../context.js";
import { splitReference } from "../render/image-rows.js";
import { joined, printed, printedJson, printedLines } from "../render/printed.js";
import { renderTable } from "../render/table.js";
import { ago, humanSize, shortId } from "../render/units.js";
import { projectContainers, projectName } from "../select.js";
import { usage } from "../usage.js";

export const command: CommandSpec = {
  name: "images",
  summary: "List images used by the created containers",
  example: "tscompose images",
  args: [{ name: "SERVICE", variadic: true, complete: "service" }],
  options: [
    { long: "format", value: "string", default: "table", help: "Format the output. Values: [table | json]" },
    { long: "quiet", short: "q", help: "Only display IDs" },
  ],
  run: images,
};

async function images(ctx: CliContext, services: readonly string[], options: ParsedOptions): Promise<number> {
  const [name, engine] = await Promise.all([projectName(ctx), ctx.engine()]);
  const containers = await projectContainers(engine, name, { services, all: true, oneOff: "include" });
  const stored = new Map((await engine.images.list()).map((image) => [image.id, image]));
  const rows = containers
    .filter((info) => info.imageId !== "")
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((info) => {
      const image = stored.get(info.imageId);
      const { repository, tag } = splitReference(
        image?.tags.find((one) => sameImage(one, info.imageName)) ?? image?.tags[0] ?? "",
      );
      const parts = image === undefined ? [] : [image.os, image.architecture, image.variant];
      return {
        ID: info.imageId,
        ContainerName: info.name,
        Repository: repository,
        Tag: tag,
        Platform: parts.filter((part) => part !== "").join("/"),
        Size: image?.sizeBytes ?? 0,
        ...given({ Created: image?.createdAt, LastTagTime: image?.lastTaggedAt }),
      };
    });
  if (options.flag("quiet")) {
    ctx.print(printedLines([...new Set(rows.map(({ ID }) => ID.replace(/^sha256:/, "")))]));
    return 0;
  }
  const format = options.text("format") ?? "table";
  if (format === "json") {
    ctx.print(joined([printedJson(rows), printed`\n`]));
    return 0;
  }
  if (format !== "table" && format !== "") {
    throw usage(`format value "${format}" could not be parsed: parsing failed`);
  }
  const now = Date.now();
  ctx.print(
    renderTable([
      ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"],
      ...rows.map((row) => [
        row.ContainerName,
        row.Repository || "<none>",
        row.Tag || "<none>",
        row.Platform,
        shortId(row.ID),
        humanSize(row.Size),
        row.Created === undefined ? "N/A" : ago(row.Created, now) || "N/A",
      ]),
    ]),
  );
  return 0;
}

function sameImage(tag: string, name: string): boolean {
  return tag === name || tag.endsWith(`/${name}`) || tag.endsWith(`/${name}:latest`);
}
