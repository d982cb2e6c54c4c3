/** SELinux contexts and what `label=` words make of them, as docker and podman read them. Pure. */
import { TscError } from "../../lib/errors.js";

/** USER:ROLE:TYPE[:LEVEL]; no level where the policy has none. */
export interface SecurityContext {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

/** What a container is given. */
export interface Labels {
  /** Of its processes; "" leaves that to the policy, as for any program we start. */
  readonly process: string;
  /** Of its root file system and of the files that we make for it. */
  readonly mount: string;
}

/** Contexts of lxc_contexts(5), as this host's policy has them. */
export interface ContainerContexts {
  readonly process: string;
  readonly file: string;
  /** Of files that containers read and run but never change. */
  readonly readOnlyFile: string;
}

/** What `label=` asks for. */
export interface LabelOptions {
  readonly isDisabled: boolean;
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
  readonly filetype?: string;
}

/** Of files that no container is confined to: the last two categories, which are given to none. */
const UNCONFINED_PAIR = "c1022,c1023";
const CATEGORIES = 1024;
const WORD = /^[A-Za-z0-9_.-]+$/;
const LEVEL = /^[A-Za-z0-9_.,:-]+$/;

/** Undefined for what is none. No part holds anything that could end a mount option. */
export function parseContext(text: string): SecurityContext | undefined {
  const [user = "", role = "", type = "", ...rest] = text.split(":");
  const level = rest.join(":");
  const isContext = [user, role, type].every((word) => WORD.test(word)) && (level === "" || LEVEL.test(level));
  return isContext ? { user, role, type, level } : undefined;
}

/** The text of a context. */
export function formatContext({ user, role, type, level }: SecurityContext): string {
  return [user, role, type, ...(level === "" ? [] : [level])].join(":");
}

/** Reads the words after `label=`. `TSC_SELINUX` for an unknown one, and for `nested`, which is not given. */
export function parseLabelOptions(container: string, words: readonly string[]): LabelOptions {
  const asked: { isDisabled: boolean } & { -readonly [K in keyof LabelOptions]: LabelOptions[K] } = {
    isDisabled: false,
  };
  for (const word of words) {
    const [, key = "", value = ""] = /^(user|role|type|level|filetype):(.+)$/s.exec(word) ?? [];
    if (word === "disable") asked.isDisabled = true;
    else if (word === "nested")
      throw refused(container, word, "a container's own labels would need a root file system without one");
    else if (key === "" || !(key === "level" ? LEVEL : WORD).test(value))
      throw refused(container, word, "known: disable, user:, role:, type:, level:, filetype:");
    else asked[key as "user"] = value;
  }
  return asked;
}

function refused(container: string, word: string, why: string): TscError {
  return new TscError("TSC_SELINUX", `container ${container}: label=${word} cannot be had: ${why}`, {
    kind: "invalid-input",
    hint: "say label=disable, or remove label= from security_opt",
    exitCode: 125,
  });
}

/** The sensitivity of a level: `s0` of `s0:c1,c2` and of `s0-s0:c0.c1023`. */
function sensitivityOf(level: string): string {
  return /^[^:-]*/.exec(level)?.[0] ?? "";
}

/** A level with two categories that is not in use. `draw` gives a number from 0 to below its argument. */
export function freeLevel(level: string, used: ReadonlySet<string>, draw: (below: number) => number): string {
  if (level === "") return "";
  const sensitivity = sensitivityOf(level);
  for (let tries = 0; tries < 10_000; tries++) {
    const [a, b] = [draw(CATEGORIES), draw(CATEGORIES)];
    const pair = `c${Math.min(a, b)},c${Math.max(a, b)}`;
    const free = `${sensitivity}:${pair}`;
    if (a !== b && pair !== UNCONFINED_PAIR && !used.has(free)) return free;
  }
  throw new TscError("TSC_SELINUX", "no pair of SELinux categories is free", { kind: "unavailable", exitCode: 125 });
}

/** What decides a container's labels. */
export interface LabelRequest {
  readonly container: string;
  readonly options: readonly string[];
  readonly contexts: ContainerContexts;
  /** Privileged, or with the host's processes or IPC: nothing of it would be confined. */
  readonly isOpen: boolean;
  /** Process labels of the containers whose processes or IPC it joins. */
  readonly joined: readonly string[];
  /** A level of its own. */
  readonly level: (base: string) => string;
}

/**
 * docker's rules: `label=` words come first, then what is open has no label, then a container that joins another's processes or IPC has its
 * label. `TSC_SELINUX` for words that are none, and for two joined containers with different labels.
 */
export function labelsFor(request: LabelRequest): Labels {
  const { container, contexts } = request;
  const [process, file] = [parseContext(contexts.process), parseContext(contexts.file)];
  if (process === undefined || file === undefined) {
    throw new TscError(
      "TSC_SELINUX",
      `container ${container}: the policy's lxc_contexts has no context for containers`,
      {
        kind: "unavailable",
        exitCode: 125,
      },
    );
  }
  const options = parseLabelOptions(container, request.options);
  if (options.isDisabled || (request.options.length === 0 && request.isOpen)) {
    const level = file.level === "" ? "" : `${sensitivityOf(file.level)}:${UNCONFINED_PAIR}`;
    return { process: "", mount: formatContext({ ...file, level }) };
  }
  const joined = [...new Set(request.options.length > 0 ? [] : request.joined.filter((label) => label !== ""))];
  if (joined.length > 1) {
    throw new TscError(
      "TSC_SELINUX",
      `container ${container}: the containers that it joins have different SELinux labels`,
      {
        kind: "conflict",
        hint: "join the processes and the IPC of one container, or say label=disable",
        exitCode: 125,
      },
    );
  }
  const shared = joined[0] === undefined ? undefined : parseContext(joined[0]);
  const level = options.level ?? shared?.level ?? request.level(process.level);
  const own = shared ?? process;
  const user = options.user ?? own.user;
  return {
    process: formatContext({ user, role: options.role ?? own.role, type: options.type ?? own.type, level }),
    mount: formatContext({
      ...file,
      ...(options.user === undefined && shared === undefined ? {} : { user }),
      type: options.filetype ?? file.type,
      level,
    }),
  };
}

/** The level in a mount label; "" for none. */
export function levelOf(label: string): string {
  return parseContext(label)?.level ?? "";
}

/** The label of files that every container may use: no categories. */
export function sharedLabel(mount: string): string {
  const context = parseContext(mount);
  return context === undefined ? mount : formatContext({ ...context, level: sensitivityOf(context.level) });
}

/** The mount option of a label, behind others; "" for none. */
export function labelOption(label: string | undefined): string {
  return label === undefined ? "" : `,context="${label}"`;
}
