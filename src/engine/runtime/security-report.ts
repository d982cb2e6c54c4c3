/** The report on confinement, loaded when it is asked for. */
import type { SecurityFinding } from "../api.js";
import type { EngineContext } from "../context.js";
import type { HostFacts } from "./host.js";

/** Which confinement this host gives containers; reads the kernel and asks the installed runtimes. */
export async function securityReport(ctx: EngineContext, host: HostFacts): Promise<SecurityFinding[]> {
  return await (await import("./security/report.js")).securityReport(ctx, host);
}
