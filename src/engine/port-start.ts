/** The lowest port that everybody may bind. */
import { setting } from "../kernel/proc.js";

/** net.ipv4.ip_unprivileged_port_start; undefined when this kernel has no such setting. */
export function unprivilegedPortStart(): number | undefined {
  const text = setting("net/ipv4/ip_unprivileged_port_start") ?? "";
  return text === "" ? undefined : Number(text);
}
