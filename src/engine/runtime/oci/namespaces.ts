/** Which namespaces a container makes, joins or shares with the host. Pure. */

import { processPath } from "../../../kernel/proc.js";
import type { ContainerSpec, NamespaceMode } from "../../types.js";
import type { HostFacts } from "../host.js";
import type { OciNamespace } from "./types.js";

/** What is known of a container's namespaces at its start. */
export interface NamespaceFacts {
  /** Pin to join; empty = the host's. */
  readonly netnsPath: string;
  /** Init pid of containers that are joined, by the reference given in the spec. */
  readonly joined: ReadonlyMap<string, number>;
}

/** `cgroup` is private on v2 and the host's on v1, as docker decides. */
export function namespaces(spec: ContainerSpec, facts: NamespaceFacts, host: HostFacts): OciNamespace[] {
  const list: OciNamespace[] = [{ type: "mount" }];
  if (facts.netnsPath !== "") list.push({ type: "network", path: facts.netnsPath });
  const add = (type: "pid" | "ipc" | "uts", mode: NamespaceMode | undefined): void => {
    if (mode?.kind === "host") return;
    if (mode?.kind === "container") {
      // No pid is a path that fails: leaving the namespace out would be the host's.
      list.push({ type, path: processPath(facts.joined.get(mode.container) ?? 0, `ns/${type}`) });
      return;
    }
    list.push({ type });
  };
  add("pid", spec.pid);
  add("ipc", spec.ipc);
  // docker: with the host's network comes the host's name, but in a UTS namespace of its own.
  add("uts", spec.uts);
  const cgroup = spec.cgroup?.kind ?? (host.cgroups.version === "v2" && spec.privileged !== true ? "private" : "host");
  if (cgroup === "private") list.push({ type: "cgroup" });
  return list;
}
