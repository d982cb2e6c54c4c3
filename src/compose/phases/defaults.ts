/** Fills in what the specification gives a value when it is not written. In place, by a table. */

import type { PathTable, TreeMap } from "../tree.js";
import { isMap, pathTable, scalarText, walkTable } from "../tree.js";

type Fill = (value: TreeMap) => void;

const devices: Fill = (value) => {
  if (!("count" in value) && !("device_ids" in value)) value["count"] = "all";
};

const FILLS: PathTable<Fill> = pathTable<Fill>([
  [
    "services.*.build",
    (value) => {
      value["context"] ??= ".";
    },
  ],
  [
    "services.*.secrets[]",
    (value) => {
      if (value["target"] === undefined && value["source"] !== undefined)
        value["target"] = `/run/secrets/${scalarText(value["source"])}`;
    },
  ],
  [
    "services.*.ports[]",
    (value) => {
      value["protocol"] ??= "tcp";
      value["mode"] ??= "ingress";
    },
  ],
  ["services.*.deploy.resources.reservations.devices[]", devices],
  ["services.*.gpus[]", devices],
]);

/** Sets default values in place. */
export function setDefaults(tree: TreeMap): TreeMap {
  walkTable(tree, FILLS, (value, fill) => {
    if (isMap(value)) fill(value);
    return value;
  });
  return tree;
}
