/** From a canonical tree to named and defaulted resources: default network, implicit dependencies, names from keys. */
import type { StringMap } from "../model.js";
import { impliedDependency, serviceReferences } from "../references.js";
import type { Tree, TreeMap } from "../tree.js";
import { isMap, newMap, scalarText } from "../tree.js";
import { cleanPath } from "./paths.js";

/** Where the value of a secret's or config's `environment` waits until the model is bound; not a key anybody can write by accident. */
const RESOLVED_CONTENT = "x-#content";

/** Bare keys of `environment` and of build arguments get the environment's value; in place. */
export function resolveEnvironment(tree: TreeMap, environment: StringMap): TreeMap {
  for (const service of servicesOf(tree)) {
    const own = service["environment"];
    if (own !== undefined) service["environment"] = resolveBare(own, environment, true);
  }
  for (const section of ["secrets", "configs"] as const) {
    const objects = tree[section];
    if (!isMap(objects)) continue;
    for (const key in objects) {
      const object = objects[key];
      const name = isMap(object) ? object["environment"] : undefined;
      if (!isMap(object) || typeof name !== "string") continue;
      const value = environment[name];
      if (value !== undefined) object[RESOLVED_CONTENT] = value;
    }
  }
  return tree;
}

function resolveBare(value: Tree, environment: StringMap, keepUnset: boolean): Tree {
  if (Array.isArray(value)) {
    return value.flatMap((entry): Tree[] => {
      const text = scalarText(entry);
      if (typeof entry !== "string" || text.includes("=")) return [entry];
      const found = environment[text];
      return found === undefined ? (keepUnset ? [entry] : []) : [`${text}=${found}`];
    });
  }
  if (!isMap(value)) return value;
  for (const key in value) {
    if (value[key] !== null) continue;
    const found = environment[key];
    if (found !== undefined) value[key] = found;
    else if (!keepUnset) delete value[key];
  }
  return value;
}

function servicesOf(tree: TreeMap): TreeMap[] {
  const services = tree["services"];
  return isMap(services) ? Object.values(services).filter(isMap) : [];
}

/** Normalises in place. `tree.name` must be set. */
export function normalize(tree: TreeMap, environment: StringMap): TreeMap {
  normalizeNetworks(tree);
  for (const service of servicesOf(tree)) normalizeService(service, environment);
  nameFromKeys(tree);
  return tree;
}

function normalizeNetworks(tree: TreeMap): void {
  let usesDefault = false;
  for (const service of servicesOf(tree)) {
    if (service["provider"] !== undefined || service["network_mode"] !== undefined) continue;
    const networks = service["networks"];
    if (!isMap(networks) || Object.keys(networks).length === 0) {
      service["networks"] = Object.assign(newMap(), { default: null });
      usesDefault = true;
    } else if ("default" in networks) usesDefault = true;
  }
  if (!usesDefault) return;
  const networks = isMap(tree["networks"]) ? tree["networks"] : newMap();
  if (!("default" in networks)) networks["default"] = null;
  tree["networks"] = networks;
}

function normalizeService(service: TreeMap, environment: StringMap): void {
  if (service["pull_policy"] === "if_not_present") service["pull_policy"] = "missing";
  const build = service["build"];
  if (isMap(build)) {
    build["context"] ??= ".";
    if (build["dockerfile"] === undefined && build["dockerfile_inline"] === undefined)
      build["dockerfile"] = "Dockerfile";
    if (build["args"] !== undefined) build["args"] = resolveBare(build["args"], environment, false);
  }
  if (service["environment"] !== undefined)
    service["environment"] = resolveBare(service["environment"], environment, true);
  for (const volume of listOf(service["volumes"])) {
    const target = volume["target"];
    if (typeof target === "string" && target !== "") volume["target"] = cleanPath(target);
  }
  for (const hook of listOf(service["pre_start"])) {
    if (hook["image"] === undefined && service["image"] !== undefined) hook["image"] = service["image"];
  }
  for (const reference of serviceReferences(service)) {
    const implied = impliedDependency(reference);
    if (implied !== undefined) addDependency(service, reference.service, implied.restart);
  }
}

function listOf(value: Tree | undefined): TreeMap[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function addDependency(service: TreeMap, name: string, restart: boolean): void {
  const known = service["depends_on"];
  const dependencies = isMap(known) ? known : newMap();
  if (!(name in dependencies))
    dependencies[name] = Object.assign(newMap(), { condition: "service_started", restart, required: true });
  service["depends_on"] = dependencies;
}

function nameFromKeys(tree: TreeMap): void {
  const project = scalarText(tree["name"] ?? null);
  for (const section of ["networks", "volumes", "configs", "secrets"] as const) {
    const resources = tree[section];
    if (!isMap(resources)) continue;
    for (const key in resources) {
      const resource = isMap(resources[key]) ? resources[key] : newMap();
      if (resource["name"] === undefined) resource["name"] = resource["external"] === true ? key : `${project}_${key}`;
      resources[key] = resource;
    }
  }
}

/** Moves the resolved values of `environment` to where the model has them; drops them for an untyped model. */
export function settleContent(tree: TreeMap, keep: boolean): void {
  for (const section of ["secrets", "configs"]) {
    const objects = tree[section];
    if (!isMap(objects)) continue;
    for (const key in objects) {
      const object = objects[key];
      const content = isMap(object) ? object[RESOLVED_CONTENT] : undefined;
      if (!isMap(object) || content === undefined) continue;
      delete object[RESOLVED_CONTENT];
      if (keep) object["content"] = content;
    }
  }
}

/** A named volume's `:Z` leaves a null `create_host_path`, which only the binding to types understands. */
export function dropNulls(tree: TreeMap): void {
  const services = tree["services"];
  for (const service of isMap(services) ? Object.values(services) : []) {
    const volumes = isMap(service) ? service["volumes"] : undefined;
    for (const volume of Array.isArray(volumes) ? volumes : []) {
      const bind = isMap(volume) ? volume["bind"] : undefined;
      if (isMap(bind) && bind["create_host_path"] === null) delete bind["create_host_path"];
    }
  }
}
