#include "remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

/* Below this depth a folder is first moved up beside the top of the removal, so that descriptors stay few. */
#define MAX_DEPTH 96

static int fail(struct tsc_removal *r, const char *call, const char *name) {
  int saved = errno;
  if (r->failed_call == NULL) {
    r->failed_call = call;
    snprintf(r->failed_name, sizeof r->failed_name, "%s", name);
  }
  errno = saved;
  return -1;
}

static int empty(struct tsc_removal *r, int fd, int depth);

/* One entry; 1 when it stays, 0 when it is gone or moved, -1 on failure. */
static int remove_entry(struct tsc_removal *r, int folder, const char *name, unsigned char type, int depth) {
  bool stays = false;
  if (r->keep != NULL) {
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : fail(r, "stat", name);
    stays = r->keep(r->context, st.st_ino);
    if (stays && !S_ISDIR(st.st_mode)) return 1;
    type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
  }
  if (!stays) {
    if (type != DT_DIR) {
      if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return 0;
      if (errno != EISDIR) return fail(r, "unlink", name);
    }
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST) return fail(r, "rmdir", name);
    if (depth >= MAX_DEPTH) {
      char other[40];
      snprintf(other, sizeof other, ".tsc-removed-%d-%u", (int)getpid(), r->moved++);
      return renameat(folder, name, r->top, other) < 0 ? fail(r, "rename", name) : 0;
    }
  }
  int child = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                          RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (child < 0) return fail(r, "openat2", name);
  if (empty(r, child, depth + 1) < 0) return -1;
  if (stays) return 1;
  /* Not empty: kept entries inside, or a new file of somebody else; the caller's next round decides. */
  if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  if (errno == ENOTEMPTY) return r->keep != NULL ? 1 : 0;
  return fail(r, "rmdir", name);
}

static int empty(struct tsc_removal *r, int fd, int depth) {
  DIR *folder = fdopendir(fd);
  if (folder == NULL) {
    close(fd);
    return fail(r, "fdopendir", "");
  }
  int result = 0;
  for (bool again = true; again && result >= 0;) {
    struct dirent *entry;
    again = false;
    rewinddir(folder);
    while (result >= 0 && (errno = 0, entry = readdir(folder)) != NULL) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      result = remove_entry(r, dirfd(folder), entry->d_name, entry->d_type, depth);
      /* readdir may miss entries of a changing folder: look again until a round removes nothing. */
      if (result == 0) again = true;
    }
    if (result >= 0 && errno != 0) result = fail(r, "readdir", "");
  }
  int saved = errno;
  closedir(folder);
  errno = saved;
  return result < 0 ? -1 : 0;
}

int tsc_empty_folder(struct tsc_removal *r, int fd) {
  r->top = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (r->top < 0) {
    close(fd);
    return fail(r, "dup", "");
  }
  int result = empty(r, fd, 0), saved = errno;
  close(r->top);
  errno = saved;
  return result;
}

int tsc_remove_at(struct tsc_removal *r, int folder, const char *name) {
  bool top_stays = false;
  if (r->keep == NULL) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR) return fail(r, "unlink", name);
  } else {
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : fail(r, "stat", name);
    bool stays = r->keep(r->context, st.st_ino);
    if (!S_ISDIR(st.st_mode)) return stays || unlinkat(folder, name, 0) == 0 ? 0 : fail(r, "unlink", name);
    top_stays = stays;
  }
  int child = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                          RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (child < 0) return fail(r, "openat2", name);
  if (tsc_empty_folder(r, child) < 0) return -1;
  if (top_stays || unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno == ENOTEMPTY && r->keep != NULL ? 0 : fail(r, "rmdir", name);
}
