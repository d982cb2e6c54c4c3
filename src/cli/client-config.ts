/** Formats that a person set for docker's client; read so that habits carry over. Credentials are the engine's business, not ours. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A format of docker's config.json (`$DOCKER_CONFIG`, else ~/.docker); undefined when unset or the file is unreadable. */
export function clientFormat(env: Readonly<Record<string, string | undefined>>, key: "psFormat"): string | undefined {
  const folder = env["DOCKER_CONFIG"] || (env["HOME"] ? join(env["HOME"], ".docker") : undefined);
  if (folder === undefined) return undefined;
  try {
    const config: unknown = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const value = (config as Record<string, unknown> | null)?.[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    // Missing, unreadable or broken: docker warns and goes on with its own format; the registry client reports broken files.
    return undefined;
  }
}
