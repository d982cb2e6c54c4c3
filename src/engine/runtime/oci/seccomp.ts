/** Turns a seccomp profile (the grammar of docker and podman) into the filter of config.json. Pure. */

import { TscError } from "../../../lib/errors.js";
import { given } from "../../../lib/given.js";
import { own } from "../../../lib/own.js";
import type { OciSeccomp, OciSeccompRule } from "./types.js";

interface Conditions {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}
interface SeccompProfileRule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action: string;
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[] | null;
  readonly errnoRet?: number;
  readonly errno?: string;
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
}

/** A seccomp profile in docker's format. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly defaultErrno?: string;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly syscalls: readonly SeccompProfileRule[];
}

/** What decides over the rules of a profile. */
export interface SeccompFacts {
  /** Go's name. */
  readonly architecture: string;
  readonly bounding: ReadonlySet<string>;
  readonly kernelVersion: readonly [number, number];
}

const ERRNO: Readonly<Record<string, number>> = { EPERM: 1, ENOENT: 2, EACCES: 13, EINVAL: 22, ENOSYS: 38 };
const NATIVE: Readonly<Record<string, string>> = {
  amd64: "SCMP_ARCH_X86_64",
  "386": "SCMP_ARCH_X86",
  arm64: "SCMP_ARCH_AARCH64",
  arm: "SCMP_ARCH_ARM",
  ppc64le: "SCMP_ARCH_PPC64LE",
  s390x: "SCMP_ARCH_S390X",
  riscv64: "SCMP_ARCH_RISCV64",
};

/** Reads a profile's JSON; `TSC_SECCOMP_INVALID`. */
export function parseSeccompProfile(text: string, where: string): SeccompProfile {
  try {
    const value = JSON.parse(text) as SeccompProfile;
    if (typeof value.defaultAction === "string" && Array.isArray(value.syscalls ?? [])) {
      return { ...value, syscalls: value.syscalls ?? [] };
    }
  } catch {
    // the parser's message would quote the file, which a compose file may have named for what is in it
    throw new TscError("TSC_SECCOMP_INVALID", `seccomp profile ${where} is not JSON`, { kind: "invalid-input" });
  }
  throw new TscError("TSC_SECCOMP_INVALID", `seccomp profile ${where} has no defaultAction and syscalls`, {
    kind: "invalid-input",
  });
}

/** The filter for this architecture, this kernel and this bounding set. */
export function chooseSeccomp(profile: SeccompProfile, facts: SeccompFacts): OciSeccomp {
  const native = NATIVE[facts.architecture];
  const mapped = profile.archMap?.find((entry) => entry.architecture === native);
  const architectures =
    mapped === undefined ? (profile.architectures ?? []) : [mapped.architecture, ...(mapped.subArchitectures ?? [])];
  const syscalls: OciSeccompRule[] = [];
  for (const rule of profile.syscalls) {
    if (!applies(rule, facts)) continue;
    const errno = rule.errno === undefined ? rule.errnoRet : (own(ERRNO, rule.errno) ?? Number(rule.errno));
    syscalls.push({
      names:
        rule.names !== undefined && rule.names.length > 0 ? rule.names : rule.name === undefined ? [] : [rule.name],
      action: rule.action,
      ...(errno === undefined || Number.isNaN(errno) ? {} : { errnoRet: errno }),
      ...(rule.args === undefined || rule.args === null || rule.args.length === 0 ? {} : { args: rule.args }),
    });
  }
  const fallback =
    profile.defaultErrno === undefined
      ? profile.defaultErrnoRet
      : (own(ERRNO, profile.defaultErrno) ?? profile.defaultErrnoRet);
  return {
    defaultAction: profile.defaultAction,
    ...given({ defaultErrnoRet: fallback }),
    architectures,
    syscalls: syscalls.filter((rule) => rule.names.length > 0),
  };
}

function applies(rule: SeccompProfileRule, facts: SeccompFacts): boolean {
  const { includes = {}, excludes = {} } = rule;
  if (excludes.arches?.includes(facts.architecture) === true) return false;
  if (excludes.caps?.some((name) => facts.bounding.has(name)) === true) return false;
  if (excludes.minKernel !== undefined && isAtLeast(facts.kernelVersion, excludes.minKernel)) return false;
  if (includes.arches !== undefined && includes.arches.length > 0 && !includes.arches.includes(facts.architecture))
    return false;
  if (includes.caps?.every((name) => facts.bounding.has(name)) === false) return false;
  return includes.minKernel === undefined || isAtLeast(facts.kernelVersion, includes.minKernel);
}

function isAtLeast(have: readonly [number, number], wanted: string): boolean {
  const [major = 0, minor = 0] = wanted.split(".").map(Number);
  return have[0] > major || (have[0] === major && have[1] >= minor);
}
