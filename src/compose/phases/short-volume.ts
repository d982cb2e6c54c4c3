/** The short form of a service's volumes: `[SOURCE:]TARGET[:OPTIONS]`. Pure text to data. */
import { TscError } from "../../lib/errors.js";

/** A parsed short form. */
export interface ParsedVolume {
  type: "bind" | "volume";
  source?: string;
  target: string;
  read_only?: boolean;
  bind?: { selinux?: string; propagation?: string; create_host_path?: boolean | null };
  volume?: { nocopy?: boolean };
}

const PROPAGATION = new Set(["rprivate", "private", "rshared", "shared", "rslave", "slave"]);

/** What nobody misses: docker took these on macOS alone, and an unset variable leaves an empty one. */
const MEANINGLESS = new Set(["consistent", "cached", "delegated", ""]);

/** Parses one entry. Options that are not known have no effect, as in the reference; `tell` hears of them. Throws TSC_COMPOSE_VOLUME_INVALID. */
export function parseVolume(spec: string, tell: (option: string) => void = () => {}): ParsedVolume {
  if (spec === "") throw invalid("invalid empty volume spec");
  if (spec.length <= 2) return { type: "volume", target: spec };
  const sections = splitSections(spec);
  if (sections.includes("")) throw invalid(`invalid spec: ${spec}: empty section between colons`);
  if (sections.length > 3) throw invalid(`invalid spec: ${spec}: too many colons`);
  const [first = "", second, options] = sections;
  const volume: ParsedVolume = { type: "volume", target: second ?? first };
  if (second !== undefined) volume.source = first;
  for (const option of options?.split(",") ?? []) {
    if (!applyOption(volume, option) && !MEANINGLESS.has(option)) tell(option);
  }
  if (isFilePath(volume.source ?? "")) {
    volume.type = "bind";
    volume.bind = { ...volume.bind, create_host_path: true };
  } else {
    volume.volume ??= {};
    // `data:/data:Z`: the option is kept, but a named volume has no host path to create
    if (volume.bind !== undefined) volume.bind.create_host_path = null;
  }
  return volume;
}

/** False for an option that is not known. */
function applyOption(volume: ParsedVolume, option: string): boolean {
  if (option === "ro") volume.read_only = true;
  else if (option === "rw") delete volume.read_only;
  else if (option === "nocopy") volume.volume = { ...volume.volume, nocopy: true };
  else if (option === "z" || option === "Z") volume.bind = { ...volume.bind, selinux: option };
  else if (PROPAGATION.has(option)) volume.bind = { ...volume.bind, propagation: option };
  else return false;
  return true;
}

/** Splits at colons, keeping a Windows drive (`C:\…`) in one piece. */
function splitSections(spec: string): string[] {
  const sections: string[] = [];
  let section = "";
  let braces = 0;
  for (const char of spec) {
    // colons inside `${…}` belong to the variable
    if (char === "{" && (braces > 0 || section.endsWith("$"))) braces++;
    else if (char === "}" && braces > 0) braces--;
    if (char === ":" && braces === 0 && !isDrive(section)) {
      sections.push(section);
      section = "";
    } else section += char;
  }
  sections.push(section);
  return sections;
}

function isDrive(text: string): boolean {
  return /^\p{L}$/u.test(text);
}

/** True for a source that is a path on the host rather than a volume's name. */
function isFilePath(source: string): boolean {
  return /^(?:[./~]|\\\\|\p{L}:)/u.test(source);
}

function invalid(message: string): TscError {
  return new TscError("TSC_COMPOSE_VOLUME_INVALID", message, { kind: "invalid-input" });
}
