/** pid, ipc, uts, cgroup and user namespaces of a service. Pure. */
import type { Service } from "../../compose/model.js";
import type { ContainerSpec, NamespaceMode } from "../../engine/types.js";
import { invalid, optional } from "./values.js";

/** `containerOf` gives the container that stands for `service:x`. */
export function namespaceFields(
  service: string,
  config: Service,
  containerOf: (service: string, what: string) => string,
): Partial<ContainerSpec> {
  const mode = (attribute: string, text: string | undefined): NamespaceMode | undefined =>
    namespaceMode(service, attribute, text, containerOf);
  return {
    ...optional("pid", mode("pid", config.pid)),
    ...optional("ipc", mode("ipc", config.ipc)),
    ...optional("uts", mode("uts", config.uts)),
    ...optional("cgroup", mode("cgroup", config.cgroup)),
    ...optional("userns", config.userns_mode === "" ? undefined : config.userns_mode),
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
  if (text.startsWith("service:"))
    return { kind: "container", container: containerOf(text.slice("service:".length), `${attribute} namespace`) };
  if (text.startsWith("container:")) return { kind: "container", container: text.slice("container:".length) };
  throw invalid(service, attribute, text);
}
