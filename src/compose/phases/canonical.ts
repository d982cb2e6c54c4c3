/** Turns short forms of the merged tree into long forms, by one table from path pattern to function. */
import { TscError } from "../../lib/errors.js";
import type { LoadWarning } from "../model.js";
import { Problems } from "../problems.js";
import type { Path, PathTable, Tree, TreeMap } from "../tree.js";
import { bracketPath, isMap, newMap, pathTable, pathText, scalarText, walkTable } from "../tree.js";
import type { YamlFile } from "../yaml/parse.js";
import { cleanPath } from "./paths.js";
import { parsePorts } from "./short-port.js";
import { parseVolume } from "./short-volume.js";

interface Context {
  /** Variables were left in place: a short form that does not parse stays as it is. */
  readonly lenient: boolean;
  readonly warn: (warning: LoadWarning) => void;
  /** Keeps what `work` throws as a problem at `path`, so that the other entries of a list are still read. */
  readonly guard: <T>(path: Path, work: () => T) => T | undefined;
}
type Transform = (value: Tree, path: Path, context: Context) => Tree;

/** A tree map from plain data. */
function map(data: object): TreeMap {
  return Object.assign(newMap(), data);
}
function deepMap(data: object): TreeMap {
  const result = newMap();
  for (const [key, value] of Object.entries(data)) {
    result[key] =
      typeof value === "object" && value !== null && !Array.isArray(value) ? deepMap(value) : (value as Tree);
  }
  return result;
}

const buildContext: Transform = (value) => (typeof value === "string" ? map({ context: value }) : value);
const source: Transform = (value) => (typeof value === "string" ? map({ source: value }) : value);
const names: Transform = (value) => (Array.isArray(value) ? keyed(value, () => null) : value);
const stringList: Transform = (value) => (typeof value === "string" ? [value] : value);

function keyed(list: readonly Tree[], fill: () => Tree): TreeMap {
  const result = newMap();
  for (const key of list) result[scalarText(key)] = fill();
  return result;
}

const dependsOn: Transform = (value) => {
  if (Array.isArray(value)) return keyed(value, () => map({ condition: "service_started", required: true }));
  if (isMap(value)) {
    for (const key in value) {
      const entry = value[key];
      if (isMap(entry)) entry["required"] ??= true;
    }
  }
  return value;
};

const envFiles: Transform = (value) => {
  const list = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (!isMap(entry)) return map({ path: entry, required: true });
    entry["required"] ??= true;
    return entry;
  });
};

const extendsForm: Transform = (value) => (typeof value === "string" ? map({ service: value }) : value);
const gpus: Transform = (value) => (value === "all" ? [map({ count: "all" })] : value);
/** `ID=SOURCE`; the agent alone has no source. */
const sshForm: Transform = (value) =>
  Array.isArray(value)
    ? keyValues(value, (text) => {
        if (text === "default") return null;
        throw new TscError("TSC_COMPOSE_INVALID", `invalid ssh key ${JSON.stringify(text)}`, {
          kind: "invalid-input",
          hint: "write ID=PATH, or `default` for the agent",
        });
      })
    : value;
const keyValueForm: Transform = (value, path, { lenient }) => {
  if (!Array.isArray(value)) return value;
  // one entry with a variable leaves the whole list as it was written, as in the reference
  if (lenient && value.some((entry) => !scalarText(entry).includes("="))) return value;
  return keyValues(value, (text) => {
    throw new TscError("TSC_COMPOSE_INVALID", `${pathText(path)}: invalid value ${text}, expected key=value`, {
      kind: "invalid-input",
    });
  });
};

/** `bare` gives the value of an entry without `=`. */
function keyValues(list: readonly Tree[], bare: (text: string) => Tree): TreeMap {
  const result = newMap();
  for (const entry of list) {
    const text = scalarText(entry);
    const equals = text.indexOf("=");
    result[equals < 0 ? text : text.slice(0, equals)] = equals < 0 ? bare(text) : text.slice(equals + 1);
  }
  return result;
}

const ports: Transform = (value, path, { lenient, guard }) => {
  if (!Array.isArray(value)) return value;
  const long = (entry: Tree): Tree[] => (isMap(entry) ? [entry] : parsePorts(scalarText(entry)).map(map));
  if (!lenient) return value.flatMap((entry, i) => guard([...path, i], () => long(entry)) ?? []);
  try {
    return value.flatMap(long);
  } catch {
    // one entry with a variable leaves the whole list as it was written, as in the reference
    return value;
  }
};

const volume: Transform = (value, path, { lenient, warn }) => {
  if (isMap(value)) return value;
  const text = scalarText(value);
  if (lenient && text.includes("$")) {
    try {
      return longVolume(text);
    } catch {
      return value;
    }
  }
  return longVolume(text, (option) => {
    const message = `${bracketPath(path)}: the option ${JSON.stringify(option)} has no effect`;
    warn({ code: "TSC_COMPOSE_NO_EFFECT", message, path });
  });
};

function longVolume(text: string, tell?: (option: string) => void): TreeMap {
  const volume = deepMap(parseVolume(text, tell));
  volume["target"] = cleanPath(scalarText(volume["target"] ?? ""));
  return volume;
}

const device: Transform = (value, _path, { lenient }) => {
  if (isMap(value)) return value;
  const text = scalarText(value);
  const parts = text.split(":");
  if (parts.length > 3) {
    if (lenient) return value;
    throw new TscError("TSC_COMPOSE_DEVICE_INVALID", `confusing device mapping, please use long syntax: ${text}`, {
      kind: "invalid-input",
    });
  }
  const [from = "", to = "", permissions = "rwm"] = parts;
  return map({ source: from, target: to === "" ? from : to, permissions });
};

const external: Transform = (value, path, { warn }) => {
  if (!isMap(value) || !isMap(value["external"])) return value;
  const { name, ...rest } = value["external"];
  for (const key of Object.keys(rest)) {
    if (key.startsWith("x-")) continue;
    const message = `${pathText(path)}.external.${key} has no effect`;
    warn({ code: "TSC_COMPOSE_NO_EFFECT", message, path: [...path, "external", key] });
  }
  value["external"] = true;
  if (name === undefined) return value;
  warn({
    code: "TSC_COMPOSE_EXTERNAL_NAME",
    message: `${pathText(path)}: external.name is deprecated. Please set name and external: true`,
    path,
  });
  if (value["name"] !== undefined && value["name"] !== name) {
    throw new TscError(
      "TSC_COMPOSE_EXTERNAL_NAME",
      `${pathText(path)}: name and external.name conflict; only use name`,
      { kind: "invalid-input" },
    );
  }
  value["name"] = name;
  return value;
};

const TRANSFORMS: PathTable<Transform> = pathTable<Transform>([
  ["services.*.build", buildContext],
  ["services.*.build.additional_contexts", keyValueForm],
  ["services.*.build.secrets[]", source],
  ["services.*.build.ssh", sshForm],
  ["services.*.configs[]", source],
  ["services.*.depends_on", dependsOn],
  ["services.*.develop.watch[].ignore", stringList],
  ["services.*.develop.watch[].include", stringList],
  ["services.*.devices[]", device],
  ["services.*.dns", stringList],
  ["services.*.env_file", envFiles],
  ["services.*.label_file", stringList],
  ["services.*.extends", extendsForm],
  ["services.*.gpus", gpus],
  ["services.*.models", names],
  ["services.*.networks", names],
  ["services.*.ports", ports],
  ["services.*.secrets[]", source],
  ["services.*.volumes[]", volume],
  ["networks.*", external],
  ["volumes.*", external],
  ["secrets.*", external],
  ["configs.*", external],
]);

/** Canonicalises in place and reports every entry that cannot be read. */
export function canonicalize(
  tree: TreeMap,
  options: {
    readonly lenient: boolean;
    readonly warn: (warning: LoadWarning) => void;
    readonly files: readonly YamlFile[];
  },
): TreeMap {
  const problems = new Problems(options.files);
  const context: Context = { ...options, guard: (path, work) => problems.guard(path, work) };
  walkTable(
    tree,
    TRANSFORMS,
    (value, transform, path) => problems.guard(path, () => transform(value, path, context)) ?? value,
  );
  problems.throw();
  dropEmptyDns(tree);
  return tree;
}

/** Empty names of DNS servers come from unset variables and mean nothing. */
function dropEmptyDns(tree: TreeMap): void {
  const services = tree["services"];
  if (!isMap(services)) return;
  for (const name in services) {
    const service = services[name];
    const dns = isMap(service) ? service["dns"] : undefined;
    if (isMap(service) && Array.isArray(dns)) service["dns"] = dns.filter((entry) => entry !== "");
  }
}
