/** Volumes as rows of docker's `volume ls`. Pure. */
import type { VolumeInfo } from "../../engine/types.js";
import { type Row, type RowFormat, withLabels } from "./rows.js";

/** `volume ls` and `volumes`, docker's own columns; the other headings are of fields that a template may name. */
export const VOLUME_FORMAT: RowFormat = {
  columns: ["Driver", "Name"],
  headers: {
    Availability: "AVAILABILITY",
    Driver: "DRIVER",
    Group: "GROUP",
    Labels: "LABELS",
    Links: "LINKS",
    Mountpoint: "MOUNTPOINT",
    Name: "VOLUME NAME",
    Scope: "SCOPE",
    Size: "SIZE",
    Status: "STATUS",
  },
};

/** The fields docker prints, `N/A` where they belong to its clusters. */
export function volumeRow(volume: VolumeInfo): Row {
  const row = {
    Availability: "N/A",
    Driver: volume.driver,
    Group: "N/A",
    Labels: Object.entries(volume.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Links: "N/A",
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Scope: "local",
    Size: "N/A",
    Status: "N/A",
  };
  return withLabels(row, volume.labels);
}
