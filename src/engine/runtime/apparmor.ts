/** Sees to it that a container's AppArmor profile is in the kernel before a runtime is told its name. */
import { readFileSync } from "node:fs";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { DEFAULT_APPARMOR_PROFILE, DEFAULT_APPARMOR_TEXT, loadedProfiles } from "./oci/apparmor.js";
import { findProgram } from "./oci-runtime.js";

const PROFILES = "/sys/kernel/security/apparmor/profiles";

/** Loads the default profile when it is not there; any other must be. `TSC_APPARMOR` when the container could not be confined by it. */
export async function ensureProfile(ctx: EngineContext, container: string, profile: string): Promise<void> {
  if (profile === "unconfined" || loadedProfiles(readFileSync(PROFILES, "utf8")).has(profile)) return;
  const refuse = (why: string): TscError =>
    new TscError("TSC_APPARMOR", `container ${container}: AppArmor profile ${JSON.stringify(profile)} ${why}`, {
      kind: "unavailable",
      hint: "load it with apparmor_parser (apt-get install apparmor), or say `security_opt: [apparmor=unconfined]`",
      exitCode: 125,
    });
  if (profile !== DEFAULT_APPARMOR_PROFILE) throw refuse("is not loaded");
  const parser = findProgram("apparmor_parser");
  if (parser === undefined) throw refuse("cannot be loaded: apparmor_parser is not installed");
  const result = await ctx.kernel.run(parser, ["--replace", "--skip-cache"], {
    env: {},
    cwd: "/",
    input: DEFAULT_APPARMOR_TEXT,
  });
  if (result.code !== 0) throw refuse(`cannot be loaded: ${printable(result.stderr.trim(), 400)}`);
}
