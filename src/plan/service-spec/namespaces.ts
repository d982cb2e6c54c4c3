/** pid, ipc, uts and cgroup namespaces of a service. Pure. */
import type { Service } from "../../compose/model.js";
import { namedService } from "../../compose/references.js";
import type { ContainerSpec, NamespaceMode } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { invalid } from "./service-error.js";

/** `containerOf` gives the container that stands for `service:x`. */
export function namespaceFields(
  service: string,
  config: Service,
  containerOf: (service: string, what: string) => string,
): Partial<ContainerSpec> {
  const mode = (attribute: string, text: string | undefined): NamespaceMode | undefined =>
    namespaceMode(service, attribute, text, containerOf);
  return {
    ...given({
      pid: mode("pid", config.pid),
      ipc: mode("ipc", config.ipc),
      uts: mode("uts", config.uts),
    }),
    ...(config.cgroup === "host" || config.cgroup === "private" ? { cgroup: { kind: config.cgroup } } : {}),
  };
}

function namespaceMode(
  service: string,
  attribute: string,
  text: string | undefined,
  containerOf: (service: string, what: string) => string,
): NamespaceMode | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "host" || text === "private" || text === "shareable") return { kind: text };
  const container = joinedContainer(text, `${attribute} namespace`, containerOf);
  if (container === undefined) throw invalid(service, attribute, text);
  return { kind: "container", container };
}

/** The container that `service:x` stands for, or that `container:x` names; undefined for anything else. */
export function joinedContainer(
  text: string,
  what: string,
  containerOf: (service: string, what: string) => string,
): string | undefined {
  const other = namedService(text);
  if (other !== undefined) return containerOf(other, what);
  return text.startsWith("container:") ? text.slice("container:".length) : undefined;
}
