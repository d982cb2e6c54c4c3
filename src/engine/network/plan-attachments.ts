/** Which networks a container joins, in which order, by which interfaces, and which of them leads outside. Pure. */
import { TscError } from "../../lib/errors.js";
import type { NetworkRecord } from "../state/networks.js";
import type { NetworkAttachment } from "../types.js";
import { checkInterfaceName } from "./names.js";

/** One network of a request, checked. */
export interface PlannedAttachment {
  readonly attachment: NetworkAttachment;
  readonly network: NetworkRecord;
  readonly ifName: string;
  /** Families this network gives the default route for. */
  readonly defaultRoutes: readonly (4 | 6)[];
  /** Publishes the container's ports. */
  readonly primary: boolean;
}

/** Interface order is by priority; the default route goes to the highest gateway priority, internal networks last. */
export function planAttachments(
  attachments: readonly { readonly attachment: NetworkAttachment; readonly network: NetworkRecord }[],
): PlannedAttachment[] {
  const ordered = [...attachments].sort((a, b) => (b.attachment.priority ?? 0) - (a.attachment.priority ?? 0));
  const used = new Set<string>();
  for (const { attachment } of ordered) {
    const name = attachment.interfaceName;
    if (name === undefined || name === "") continue;
    checkInterfaceName(name);
    if (used.has(name))
      throw new TscError("TSC_INTERFACE_NAME", `interface name ${name} is used twice`, { kind: "invalid-input" });
    used.add(name);
  }
  const byGateway = [...ordered].sort(
    (a, b) =>
      Number(a.network.settings.internal) - Number(b.network.settings.internal) ||
      (b.attachment.gatewayPriority ?? 0) - (a.attachment.gatewayPriority ?? 0),
  );
  const candidates = byGateway.filter(({ network }) => !network.settings.internal);
  const gives = (network: NetworkRecord, family: 4 | 6): boolean =>
    network.settings.source === "user" ||
    network.settings.subnets.some(({ subnet }) => subnet.includes(":") === (family === 6));
  const gateway = { 4: candidates.find((c) => gives(c.network, 4)), 6: candidates.find((c) => gives(c.network, 6)) };
  let next = 0;
  return ordered.map((entry) => {
    let ifName = entry.attachment.interfaceName ?? "";
    if (ifName === "") {
      do ifName = `eth${next++}`;
      while (used.has(ifName));
      used.add(ifName);
    }
    return {
      ...entry,
      ifName,
      defaultRoutes: ([4, 6] as const).filter((family) => gateway[family] === entry),
      primary: entry === byGateway[0],
    };
  });
}
