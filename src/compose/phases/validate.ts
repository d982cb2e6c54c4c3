/** Rules of the specification that a JSON schema cannot say, by a table from path pattern to check. */
import { isIP } from "node:net";
import { Problems } from "../problems.js";
import type { PathTable, Tree, TreeMap } from "../tree.js";
import { isMap, pathTable, pathText, walkTable } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";

/** The message of what is wrong, or undefined. */
type Check = (value: Tree, path: string) => string | undefined;

const externalOnly: Check = (value, path) => {
  if (!isMap(value) || value["external"] !== true) return undefined;
  for (const key in value) {
    if (key === "name" || key === "external" || key.startsWith("x-")) continue;
    return `${path}: conflicting parameters "external" and ${JSON.stringify(key)} specified`;
  }
  return undefined;
};

const oneSource =
  (...keys: readonly string[]): Check =>
  (value, path) => {
    if (!isMap(value)) return undefined;
    const given = keys.filter((key) => value[key] !== undefined && value[key] !== null);
    if (given.length > 1) return `${path}: ${keys.join("|")} attributes are mutually exclusive`;
    if (given.length === 0 && value["driver"] === undefined && value["external"] !== true) {
      return `${path}: one of ${keys.join("|")} must be set`;
    }
    return undefined;
  };

const deviceRequest: Check = (value, path) => {
  if (!isMap(value) || value["count"] === undefined || value["device_ids"] === undefined) return undefined;
  return `${path}: "count" and "device_ids" attributes are exclusive`;
};

const hostIp: Check = (value, path) => {
  if (!isMap(value) || typeof value["host_ip"] !== "string") return undefined;
  return isIP(value["host_ip"].replace(/^\[(.*)\]$/, "$1")) === 0
    ? `${path}: invalid ip address: ${value["host_ip"]}`
    : undefined;
};

const notEmpty: Check = (value, path) => (value === "" ? `${path}: value can't be blank` : undefined);

const CHECKS: PathTable<readonly Check[]> = pathTable<readonly Check[]>([
  ["volumes.*", [externalOnly]],
  ["configs.*", [oneSource("file", "environment", "content")]],
  ["secrets.*", [oneSource("file", "environment")]],
  ["services.*.deploy.resources.reservations.devices[]", [deviceRequest]],
  ["services.*.gpus[]", [deviceRequest]],
  ["services.*.ports[]", [hostIp]],
  ["services.*.develop.watch[].path", [notEmpty]],
]);

/** Checks a canonical tree and reports every problem at once. */
export function validate(tree: TreeMap, files: readonly YamlFile[]): void {
  const problems = new Problems(files);
  walkTable(tree, CHECKS, (value, checks, path) => {
    const place = pathText(path.map((part) => (typeof part === "number" ? "[]" : part)));
    for (const check of checks) {
      const message = check(value, place);
      if (message !== undefined) problems.add("TSC_COMPOSE_INVALID", message, path);
    }
    return value;
  });
  problems.throw();
}
