/** Fills in what the specification gives a value when it is not written. In place, by a table. */

import type { PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, pathTable, scalarText, stepKey } from "../tree.js";

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
  walk(tree, FILLS);
  return tree;
}

function walk(value: Tree, table: PathTable<Fill>): void {
  if (isMap(value)) {
    table.value?.(value);
    for (const key in value) {
      const next = stepKey(table, key);
      if (next !== undefined) walk(value[key] as Tree, next);
    }
  } else if (Array.isArray(value) && table.item !== undefined) for (const item of value) walk(item, table.item);
}
