/* Owner, mode, extended attributes and time of what was extracted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "extract.h"

static bool squash;

void attributes_begin(bool squash_owners) { squash = squash_owners; }

static bool takes_xattr(const char *name) {
  /* Overlay's own attributes would redirect lookups of the merged tree; labels belong to this machine. */
  static const char *const refused[] = {"trusted.overlay.", "user.overlay.", "security.selinux", "security.apparmor", "security.ima", "security.evm"};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    if (name_starts_with(name, refused[i])) return false;
  return true;
}

static void set_xattrs(int fd, const struct entry *entry) {
  for (size_t i = 0; i < entry->xattr_count; i++) {
    const struct xattr *x = &entry->xattrs[i];
    if (!takes_xattr(x->name)) continue;
    if (fsetxattr(fd, x->name, x->value, x->length, 0) == 0) continue;
    /* What the filesystem or our rights cannot hold is left out, as every other engine does. */
    if (errno != ENOTSUP && errno != EPERM && errno != EINVAL) fail_errno(entry->path, "setxattr");
  }
}

static void owner_failed(const struct entry *entry) {
  if (errno == EINVAL)
    fail("EINVAL", entry->path, "owner %lld:%lld is outside the id mapping", (long long)entry->uid, (long long)entry->gid);
  fail_errno(entry->path, "chown");
}

void attributes_set(int fd, const struct entry *entry, bool with_time) {
  if (!squash && fchown(fd, (uid_t)entry->uid, (gid_t)entry->gid) < 0) owner_failed(entry);
  if (fchmod(fd, entry->mode) < 0) fail_errno(entry->path, "chmod");
  if (entry->xattr_count > 0) set_xattrs(fd, entry);
  struct timespec both[2] = {entry->mtime, entry->mtime};
  if (with_time && futimens(fd, both) < 0) fail_errno(entry->path, "utimens");
}

void attributes_set_at(int folder, const char *name, const struct entry *entry, bool with_mode) {
  if (!squash && fchownat(folder, name, (uid_t)entry->uid, (gid_t)entry->gid, AT_SYMLINK_NOFOLLOW) < 0) owner_failed(entry);
  if (with_mode && fchmodat(folder, name, entry->mode, 0) < 0) fail_errno(entry->path, "chmod");
  struct timespec both[2] = {entry->mtime, entry->mtime};
  if (utimensat(folder, name, both, AT_SYMLINK_NOFOLLOW) < 0) fail_errno(entry->path, "utimens");
}
