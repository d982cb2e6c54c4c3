/** Which names may reach a container's /etc/hosts, /etc/hostname and /etc/resolv.conf: nothing that could start another line. Pure. */
import { isIP } from "node:net";
import { TscError } from "../../lib/errors.js";
import type { ContainerSpec } from "../types.js";

const NAME = /^[A-Za-z0-9_.-]+$/;
/** sethostname(2). */
const MAX_HOSTNAME = 64;

/** `TSC_HOST_NAME` for a host name, domain, search domain or name server that is none. */
export function checkHostNames(
  spec: Pick<ContainerSpec, "name" | "hostname" | "domainname" | "extraHosts" | "dns" | "dnsSearch" | "dnsOptions">,
): void {
  const wrong = (what: string, value: string, hint: string): TscError =>
    new TscError("TSC_HOST_NAME", `container ${spec.name}: ${what} ${JSON.stringify(value)} is not valid`, {
      kind: "invalid-input",
      hint,
    });
  const plain = "use letters, digits, '-', '_' and '.'";
  for (const [what, value] of [
    ["hostname", spec.hostname],
    ["domainname", spec.domainname],
  ] as const) {
    if (value === undefined || value === "") continue;
    if (!NAME.test(value) || value.length > MAX_HOSTNAME) throw wrong(what, value, `${plain}, at most ${MAX_HOSTNAME}`);
  }
  for (const { host } of spec.extraHosts ?? []) if (!NAME.test(host)) throw wrong("extra host", host, plain);
  for (const domain of spec.dnsSearch ?? []) if (!NAME.test(domain)) throw wrong("search domain", domain, plain);
  for (const option of spec.dnsOptions ?? [])
    if (!/^[A-Za-z0-9_:.-]+$/.test(option)) throw wrong("dns option", option, "see resolv.conf(5)");
  for (const server of spec.dns ?? [])
    if (isIP(server.replace(/%.*$/, "")) === 0 || /\s/.test(server))
      throw wrong("name server", server, "give its IP address");
}
