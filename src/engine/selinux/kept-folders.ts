/** Which folders of the host a new label would break it by. Compares what is open, not names: a bind mount or a link gives one folder many. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { OpenedPath } from "../../kernel/kernel.js";
import { errnoOf } from "../../lib/errors.js";

/** go-selinux's list. */
const KEPT =
  "/ /bin /boot /dev /etc /etc/passwd /etc/pki /etc/shadow /etc/ssh /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin /usr/lib /usr/lib64 /usr/local /usr/sbin /usr/share /var /var/lib /var/log /var/run /var/tmp".split(
    " ",
  );

/** The kernel's own file systems with all below them, and homes where they usually are. */
const KEPT_BELOW = /^\/(?:home\/[^/]+|(?:boot|dev|proc|sys)\/.*)$/;

/** Homes of people among the lines of passwd(5): accounts from uid 1000 up, but those that nobody logs in to. Pure. */
export function homesIn(passwd: string): readonly string[] {
  return passwd.split("\n").flatMap((line) => {
    const [, , uid = "", , , home = "", shell = ""] = line.split(":");
    const isPerson =
      /^\d+$/.test(uid) && Number(uid) >= 1000 && Number(uid) < 65_534 && !/(?:nologin|false)$/.test(shell);
    return isPerson && home.startsWith("/") && home !== "/" ? [home] : [];
  });
}

/** Whether `:z` and `:Z` must leave alone what is open at `real`: folders of the system, these homes, and what these homes lie in. */
export function keepsItsLabel(opened: OpenedPath, real: string, homes: readonly string[]): boolean {
  if (KEPT_BELOW.test(real)) return true;
  const own = identityOf(opened.path);
  const kept = [...KEPT, ...homes.flatMap(withParents)];
  return own !== undefined && kept.some((path) => identityOf(path) === own);
}

function withParents(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [path, ...withParents(parent)];
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
