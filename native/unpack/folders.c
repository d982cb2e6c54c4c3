/* Folders of the target: looked up inside it, made when missing, the last one kept open. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common.h"
#include "extract.h"
#include "remove.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

static int root = -1;
/* NULL where whiteouts are applied on the spot. */
static const char *opaque_name;
/* The folder of the last entry: most entries share it with the one before. */
static int parent_fd = -1;
static char parent_path[PATH_MAX];

void folders_begin(enum whiteouts whiteouts) {
  opaque_name = whiteouts == WHITEOUTS_APPLY ? NULL : whiteouts == WHITEOUTS_USER ? "user.overlay.opaque" : "trusted.overlay.opaque";
  root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) fail_errno("/", "open");
}

void folder_forget(void) {
  if (parent_fd >= 0) close(parent_fd);
  parent_fd = -1;
}

void folder_set_opaque(int fd, const char *path) {
  if (opaque_name == NULL) return;
  if (fsetxattr(fd, opaque_name, "y", 1, 0) < 0) fail_errno(path, "setxattr (opaque)");
}

bool folder_is_whiteout(const struct stat *st) { return S_ISCHR(st->st_mode) && st->st_rdev == 0; }

void folder_remove(int folder, const char *name, const char *path, bool keeps_made) {
  struct tsc_removal removal = {.keep = keeps_made ? made_has : NULL};
  /* The kept parent may be what is removed: from here on only our own descriptor of the folder is used. */
  int own = dup(folder);
  if (own < 0) fail_errno(path, "dup");
  folder_forget();
  if (tsc_remove_at(&removal, own, name) < 0) fail_errno(path, removal.failed_call);
  close(own);
}

int folder_open_plain(const char *path, int flags) {
  return tsc_openat2(root, *path == '\0' ? "." : path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Opens a path as a folder inside the root (links followed inside it). */
static int open_folder(const char *path) {
  return tsc_openat2(root, *path == '\0' ? "." : path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, IN_ROOT);
}

/* Makes the missing folders of a path, 0755 and ours. -1 with ENOTDIR when something else is in the way. */
static int make_folders(const char *path) {
  char prefix[PATH_MAX];
  int here = open_folder("");
  for (const char *at = path; here >= 0;) {
    size_t length = (size_t)(at - path) + strcspn(at, "/");
    memcpy(prefix, path, length);
    prefix[length] = '\0';
    int next = open_folder(prefix);
    if (next < 0) {
      const char *name = strrchr(prefix, '/');
      struct stat st;
      bool replaces = false;
      name = name == NULL ? prefix : name + 1;
      if (errno == ENOTDIR && fstatat(here, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && folder_is_whiteout(&st)) {
        /* A whiteout and a real entry in one layer: the entry wins, what lies below stays hidden. */
        if (unlinkat(here, name, 0) < 0) fail_errno(path, "unlink");
        replaces = true;
      } else if (errno != ENOENT) {
        int saved = errno;
        close(here);
        errno = saved;
        return -1;
      }
      if (mkdirat(here, name, 0755) < 0) {
        int saved = errno == EEXIST ? ENOTDIR : errno;
        close(here);
        errno = saved;
        return -1;
      }
      made_note(here, name);
      next = tsc_openat2(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
      if (next >= 0 && replaces) folder_set_opaque(next, path);
    }
    int saved = errno;
    close(here);
    errno = saved;
    here = next;
    if (path[length] == '\0') break;
    at = path + length + 1;
  }
  return here;
}

int folder_of(const char *path, const char **name, bool create) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  *name = slash == NULL ? path : slash + 1;
  if (parent_fd >= 0 && strlen(parent_path) == length && memcmp(parent_path, path, length) == 0) return parent_fd;
  folder_forget();
  memcpy(parent_path, path, length);
  parent_path[length] = '\0';
  parent_fd = open_folder(parent_path);
  if (parent_fd < 0 && create && (errno == ENOENT || errno == ENOTDIR)) parent_fd = make_folders(parent_path);
  return parent_fd;
}
