/** What a Dockerfile may ask of the host only when whoever builds has granted it, with BuildKit's words. Pure. */
import { TscError } from "../../lib/errors.js";
import type { BuildRequest, Entitlement } from "../api.js";
import type { Instruction } from "./dockerfile/instructions.js";

/** `TSC_BUILD_ENTITLEMENT` when the instruction asks for what the request does not grant. `file` is where it stands. */
export function checkEntitlements(
  request: Pick<BuildRequest, "allow" | "network">,
  instruction: Instruction,
  file: string,
): void {
  if (instruction.kind !== "RUN") return;
  const granted = new Set<Entitlement>([
    ...(request.allow ?? []),
    ...(request.network === "host" ? (["network.host"] as const) : []),
  ]);
  const asked: Entitlement[] = [];
  if (instruction.network === "host") asked.push("network.host");
  if (instruction.security === "insecure") asked.push("security.insecure");
  const missing = asked.find((entitlement) => !granted.has(entitlement));
  if (missing === undefined) return;
  throw new TscError("TSC_BUILD_ENTITLEMENT", `${missing} is not allowed`, {
    kind: "invalid-input",
    hint: `if you trust this Dockerfile, list it in build.entitlements or give --allow ${missing}`,
    where: { file, line: instruction.line, column: 1, text: instruction.source },
  });
}

/** The network that RUN steps have which do not name one. `TSC_BUILD_UNSUPPORTED` for anything but docker's three modes. */
export function stepNetwork({ network = "" }: Pick<BuildRequest, "network">): "default" | "none" | "host" {
  if (network === "none" || network === "host") return network;
  if (network === "" || network === "default" || network === "bridge") return "default";
  throw new TscError("TSC_BUILD_UNSUPPORTED", `network mode ${JSON.stringify(network)} is not supported by builds`, {
    kind: "unsupported",
    hint: "use default, none or host",
  });
}
