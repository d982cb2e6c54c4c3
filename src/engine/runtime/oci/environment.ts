/** A container's environment and command line, merged from image and spec as docker merges them. Pure. */
import { TscError } from "../../../lib/errors.js";
import { DEFAULT_PATH } from "../../default-path.js";
import type { ContainerSpec, ImageConfig } from "../../types.js";

/** `NAME=value` lines: defaults, then the image's, then the spec's; a null value takes a variable away. */
export function containerEnvironment(
  spec: Pick<ContainerSpec, "env" | "tty">,
  image: Pick<ImageConfig, "env"> | undefined,
  facts: { readonly hostname: string; readonly home: string },
): string[] {
  const merged = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", facts.hostname],
  ]);
  if (spec.tty === true) merged.set("TERM", "xterm");
  for (const line of image?.env ?? []) {
    const at = line.indexOf("=");
    if (at > 0) merged.set(line.slice(0, at), line.slice(at + 1));
  }
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    if (value === null) merged.delete(name);
    else merged.set(name, value);
  }
  if (!merged.has("HOME") || merged.get("HOME") === "") merged.set("HOME", facts.home === "" ? "/" : facts.home);
  return [...merged].map(([name, value]) => checked(`${name}=${value}`));
}

/**
 * Entrypoint then command, as dockerd merges them: an empty entrypoint takes the image's away, an empty command is none, and any
 * entrypoint that is not empty drops the image's command. `TSC_NO_COMMAND` when nothing is left.
 */
export function commandLine(
  spec: Pick<ContainerSpec, "name" | "entrypoint" | "command">,
  image: Pick<ImageConfig, "entrypoint" | "command"> | undefined,
): string[] {
  const entrypoint = spec.entrypoint ?? image?.entrypoint ?? [];
  const hasOwn = (words: readonly string[] | undefined): boolean => words !== undefined && words.length > 0;
  const command = hasOwn(spec.command) || hasOwn(spec.entrypoint) ? (spec.command ?? []) : (image?.command ?? []);
  const argv = [...entrypoint, ...command];
  if (argv.length === 0) {
    throw new TscError("TSC_NO_COMMAND", `container ${spec.name}: no command specified`, {
      kind: "invalid-input",
      hint: "the image has neither ENTRYPOINT nor CMD; give a command",
    });
  }
  return argv.map(checked);
}

function checked(text: string): string {
  if (!text.includes("\0")) return text;
  throw new TscError("TSC_NUL_BYTE", "arguments and variables cannot contain a NUL byte", { kind: "invalid-input" });
}
