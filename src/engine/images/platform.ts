/** Platforms (`os/arch[/variant]`) and the choice among a manifest list's entries. Pure. */
import { TscError } from "../../lib/errors.js";
import { own } from "../../lib/own.js";
import { printable } from "../../lib/printable.js";

/** What an image runs on, in OCI's words. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty when it does not matter. */
  readonly variant: string;
}

const NODE_TO_OCI: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
  loong64: "loong64",
};
const ALIASES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386",
  i686: "386",
  armhf: "arm",
  armel: "arm",
};

/** The platform this process runs on. */
export function hostPlatform(): Platform {
  const architecture = NODE_TO_OCI[process.arch] ?? process.arch;
  return normalise({ os: "linux", architecture, variant: architecture === "arm" ? "v7" : "" });
}

/** Parses `linux/arm64/v8`, `linux`, `arm64`; undefined or empty means the host's. `TSC_IMAGE_PLATFORM_INVALID`. */
export function parsePlatform(text: string | undefined): Platform {
  if (text === undefined || text === "") return hostPlatform();
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part))) {
    throw new TscError("TSC_IMAGE_PLATFORM_INVALID", `platform "${printable(text, 80)}" is not os/arch[/variant]`, {
      kind: "invalid-input",
    });
  }
  const [first = "", second, third] = parts;
  if (second === undefined) {
    return first === "linux" ? hostPlatform() : normalise({ os: "linux", architecture: first, variant: "" });
  }
  return normalise({ os: first, architecture: second, variant: third ?? "" });
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return `${platform.os}/${platform.architecture}${platform.variant === "" ? "" : `/${platform.variant}`}`;
}

function normalise(platform: Platform): Platform {
  let architecture = own(ALIASES, platform.architecture) ?? platform.architecture;
  let variant = platform.variant;
  if (platform.architecture === "armel") variant = variant === "" ? "v6" : variant;
  if (architecture === "arm64" && (variant === "8" || variant === "v8")) variant = "";
  if (architecture === "arm") {
    if (variant === "") variant = "v7";
    else if (/^\d/.test(variant)) variant = `v${variant}`;
  }
  if (architecture === "amd64" && variant === "v1") variant = "";
  architecture = architecture.toLowerCase();
  return { os: platform.os.toLowerCase(), architecture, variant };
}

/** True when an image for `offered` can run where `wanted` was asked for (same machine family, variant not newer). */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  return score(wanted, offered) >= 0;
}

/** Index of the entry that fits best, or -1. The first of equals wins; `unknown/unknown` (attestations) never fits. */
export function choosePlatform(wanted: Platform, offered: readonly (Platform | undefined)[]): number {
  let best = -1;
  let bestScore = -1;
  offered.forEach((platform, index) => {
    if (platform === undefined || platform.os === "unknown" || platform.architecture === "unknown") return;
    const value = score(wanted, platform);
    if (value > bestScore) {
      best = index;
      bestScore = value;
    }
  });
  return best;
}

function score(wantedRaw: Platform, offeredRaw: Platform): number {
  const wanted = normalise(wantedRaw);
  const offered = normalise(offeredRaw);
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return -1;
  if (wanted.variant === offered.variant) return 100;
  const number = (variant: string) => Number(/^v(\d+)/.exec(variant)?.[1] ?? (wanted.architecture === "arm64" ? 8 : 1));
  const have = number(offered.variant);
  // an exact request for a variant still accepts older ones: v7 runs v6 and v5 code
  return have > number(wanted.variant) ? -1 : have;
}
