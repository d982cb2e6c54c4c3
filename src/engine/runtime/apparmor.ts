/** Sees to it that a container's AppArmor profile is in the kernel before a runtime is told its name. */
import { createHash } from "node:crypto";
import { sysFile, sysNames } from "../../kernel/proc.js";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { metaOf, setMeta } from "../state/meta.js";
import { APPARMOR_PROFILES } from "./host.js";
import { DEFAULT_APPARMOR_PROFILE, DEFAULT_APPARMOR_TEXT, loadedProfiles } from "./oci/apparmor.js";
import { findProgram } from "./oci-runtime.js";

/** One folder a profile, with what the kernel made of it. */
const DETAILS = "kernel/security/apparmor/policy/profiles";
const META_KEY = "apparmor.default";

/**
 * Loads the default profile when it is not there, not enforced or not the one that this store has loaded in this version; any other must be
 * there. `TSC_APPARMOR` when the container could not be confined by it.
 */
export async function ensureProfile(ctx: EngineContext, container: string, profile: string): Promise<void> {
  if (profile === "unconfined") return;
  const mode = profilesInKernel().get(profile);
  const refuse = (why: string): TscError =>
    new TscError("TSC_APPARMOR", `container ${container}: AppArmor profile ${JSON.stringify(profile)} ${why}`, {
      kind: "unavailable",
      hint: "load it with apparmor_parser (apt-get install apparmor), or say `security_opt: [apparmor=unconfined]`",
      exitCode: 125,
    });
  if (profile !== DEFAULT_APPARMOR_PROFILE) {
    if (mode === undefined) throw refuse("is not loaded");
    if (mode === "complain" || mode === "unconfined")
      ctx.warn(
        `container ${container}: AppArmor profile ${JSON.stringify(profile)} is in ${mode} mode: it denies nothing`,
      );
    return;
  }
  if (mode === "enforce" && isOurs(ctx)) return;
  const parser = findProgram("apparmor_parser");
  if (parser === undefined) throw refuse("cannot be loaded: apparmor_parser is not installed");
  const result = await ctx.kernel.run(parser, ["--replace", "--skip-cache"], {
    env: {},
    cwd: "/",
    input: DEFAULT_APPARMOR_TEXT,
  });
  if (result.code !== 0) throw refuse(`cannot be loaded: ${printable(result.stderr.trim(), 400)}`);
  setMeta(ctx.state, META_KEY, fingerprint());
}

/** What is loaded under its name is what this store loaded from the text of this version. */
function isOurs(ctx: EngineContext): boolean {
  const kept = metaOf(ctx.state, META_KEY);
  return kept !== undefined && kept === fingerprint();
}

/** Our text and the kernel's digest of what it has loaded; without the digest where the kernel keeps none. */
function fingerprint(): string {
  const text = createHash("sha256").update(DEFAULT_APPARMOR_TEXT).digest("hex");
  return `${text} ${loadedDigest()}`;
}

function loadedDigest(): string {
  const folder = sysNames(DETAILS).find((name) => new RegExp(`^${DEFAULT_APPARMOR_PROFILE}\\.\\d+$`).test(name));
  return folder === undefined ? "" : (sysFile(`${DETAILS}/${folder}/sha1`) ?? "").trim();
}

/** Modes of the profiles that the kernel has, by name; none where that cannot be read. */
export function profilesInKernel(): Map<string, string> {
  return loadedProfiles(sysFile(APPARMOR_PROFILES) ?? "");
}
