/** Who a container's process runs as: `user[:group]` looked up in the container's own passwd and group files. Pure. */
import { TscError } from "../../../lib/errors.js";

const MAX_ID = 4294967294;

/** Who a process is to be, and the image's files that say who that is. */
export interface UserRequest {
  /** `name`, `uid`, `name:group`, `uid:gid`; empty is root. */
  readonly user: string;
  readonly groupAdd: readonly string[];
  /** Content of the container's files; empty when missing. */
  readonly passwd: string;
  readonly group: string;
  /** Of the command when there is no such user or group: 125 for a container that cannot be made. */
  readonly exitCode?: number;
}

/** Who it is, in numbers. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them (CVE-2022-2989). */
  readonly additionalGids: readonly number[];
  /** Empty when the user has no entry. */
  readonly home: string;
  readonly name: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Looks a user up as docker does. Numeric ids need no entry. `TSC_USER_UNKNOWN`, `TSC_GROUP_UNKNOWN`. */
export function resolveUser(request: UserRequest): ResolvedUser {
  const [userText = "", groupText] = splitOnce(request.user.trim(), ":");
  const users = parsePasswd(request.passwd);
  const groups = parseGroup(request.group);

  const wanted = userText === "" ? "0" : userText;
  const byName = users.find((entry) => entry.name === wanted);
  const numeric = idOf(wanted);
  const entry = byName ?? (numeric === undefined ? undefined : users.find((candidate) => candidate.uid === numeric));
  if (entry === undefined && numeric === undefined) {
    throw new TscError("TSC_USER_UNKNOWN", `unable to find user ${wanted}: no matching entries in passwd file`, {
      kind: "not-found",
      exitCode: request.exitCode ?? 125,
    });
  }
  const uid = entry?.uid ?? numeric ?? 0;
  const gid = groupText === undefined || groupText === "" ? (entry?.gid ?? 0) : groupId(groupText, groups);
  const extra = new Set<number>([gid]);
  // An explicit group replaces the user's memberships.
  if (entry !== undefined && (groupText === undefined || groupText === "")) {
    for (const group of groups) if (group.members.includes(entry.name)) extra.add(group.gid);
  }
  for (const text of request.groupAdd) extra.add(groupId(text, groups));
  return { uid, gid, additionalGids: [...extra], home: entry?.home ?? "", name: entry?.name ?? "" };
}

function groupId(text: string, groups: readonly GroupEntry[]): number {
  const found = groups.find((entry) => entry.name === text)?.gid ?? idOf(text);
  if (found !== undefined) return found;
  throw new TscError("TSC_GROUP_UNKNOWN", `unable to find group ${text}: no matching entries in group file`, {
    kind: "not-found",
    exitCode: 125,
  });
}

function idOf(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split("\n")) {
    const [name = "", , uidText = "", gidText = "", , home = ""] = line.trim().split(":");
    const uid = idOf(uidText);
    const gid = idOf(gidText);
    if (name !== "" && uid !== undefined && gid !== undefined) entries.push({ name, uid, gid, home });
  }
  return entries;
}

function parseGroup(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const line of text.split("\n")) {
    const [name = "", , gidText = "", members = ""] = line.trim().split(":");
    const gid = idOf(gidText);
    if (name !== "" && gid !== undefined) entries.push({ name, gid, members: members.split(",") });
  }
  return entries;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
