/*
 * Writes entries below the target. The process is chrooted into it and every lookup is openat2(RESOLVE_IN_ROOT)
 * on parents plus *at() calls that never follow the last component: two walls, either of which holds alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common.h"
#include "remove.h"
#include "unpack.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

struct folder_time {
  struct folder_time *next;
  struct timespec mtime;
  char path[];
};

static int root = -1;
static enum whiteouts whiteouts;
static bool squash;
static const char *opaque_name;
/* The folder of the last entry: most entries share it with the one before. */
static int parent_fd = -1;
static char parent_path[PATH_MAX];
static struct folder_time *first_time, *last_time;

/* ---- what this layer itself made (only needed when whiteouts are applied on the spot) ---- */

static uint64_t *made;
static size_t made_count, made_room;

static bool made_has(void *context, ino_t inode) {
  (void)context;
  if (made_room == 0) return false;
  for (size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ULL) & (made_room - 1);; i = (i + 1) & (made_room - 1)) {
    if (made[i] == inode) return true;
    if (made[i] == 0) return false;
  }
}

static void made_add(ino_t inode) {
  if (whiteouts != WHITEOUTS_APPLY || made_has(NULL, inode)) return;
  if (2 * (made_count + 1) > made_room) {
    uint64_t *old = made;
    size_t old_room = made_room;
    made_room = old_room == 0 ? 1024 : 2 * old_room;
    made = calloc(made_room, sizeof *made);
    if (made == NULL) fail("ENOMEM", "", "out of memory");
    made_count = 0;
    for (size_t i = 0; i < old_room; i++)
      if (old[i] != 0) made_add(old[i]);
    free(old);
  }
  size_t i = (size_t)(inode * 0x9e3779b97f4a7c15ULL) & (made_room - 1);
  while (made[i] != 0) i = (i + 1) & (made_room - 1);
  made[i] = inode;
  made_count++;
}

static void note_made(int folder, const char *name) {
  struct stat st;
  if (whiteouts == WHITEOUTS_APPLY && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) made_add(st.st_ino);
}

/* ---- names ---- */

/*
 * Lexically cleaned path without leading slash, `.` and `..` (as Go's path.Clean, which the field uses); leaving
 * the root is an error. Empty for the root itself.
 */
static void clean(const char *given, char out[PATH_MAX], const char *what) {
  size_t used = 0;
  out[0] = '\0';
  for (const char *at = given; *at != '\0';) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') {
      if (used == 0) fail("HOSTILE", given, "%s leaves the layer", what);
      while (used > 0 && out[used - 1] != '/') used--;
      if (used > 0) used--;
      out[used] = '\0';
    } else if (length > 0 && !(length == 1 && at[0] == '.')) {
      if (length > NAME_MAX || used + length + 2 > PATH_MAX) fail("ENAMETOOLONG", given, "%s is too long", what);
      if (used > 0) out[used++] = '/';
      memcpy(out + used, at, length);
      used += length;
      out[used] = '\0';
    }
    at += length;
    while (*at == '/') at++;
  }
}

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* Folders named like whiteouts could be mistaken for them later. True when the entry is to be ignored (aufs's own files). */
static bool has_whiteout_folder(const char *path, const char *given) {
  for (const char *at = path, *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
    if (starts_with(at, WHITEOUT_META)) return true;
    if (starts_with(at, WHITEOUT)) fail("HOSTILE", given, "a folder is named like a whiteout");
  }
  return false;
}

/* ---- folders ---- */

static void forget_parent(void) {
  if (parent_fd >= 0) close(parent_fd);
  parent_fd = -1;
}

static void set_opaque(int fd, const char *path) {
  if (whiteouts == WHITEOUTS_APPLY) return;
  if (fsetxattr(fd, opaque_name, "y", 1, 0) < 0) fail_errno(path, "setxattr (opaque)");
}

static bool is_whiteout(const struct stat *st) { return S_ISCHR(st->st_mode) && st->st_rdev == 0; }

static void remove_existing(int folder, const char *name, const char *path) {
  struct tsc_removal removal = {.keep = NULL};
  /* The kept parent may be what is removed: from here on only our own descriptor of the folder is used. */
  int own = dup(folder);
  if (own < 0) fail_errno(path, "dup");
  forget_parent();
  if (tsc_remove_at(&removal, own, name) < 0) fail_errno(path, removal.failed_call);
  close(own);
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
      if (errno == ENOTDIR && fstatat(here, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_whiteout(&st)) {
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
      note_made(here, name);
      next = tsc_openat2(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
      if (next >= 0 && replaces) set_opaque(next, path);
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

/* The folder of `path` (kept open for the next entry) and the last name; -1 with errno. */
static int open_parent(const char *path, const char **name, bool create) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  *name = slash == NULL ? path : slash + 1;
  if (parent_fd >= 0 && strlen(parent_path) == length && memcmp(parent_path, path, length) == 0) return parent_fd;
  forget_parent();
  memcpy(parent_path, path, length);
  parent_path[length] = '\0';
  parent_fd = open_folder(parent_path);
  if (parent_fd < 0 && create && (errno == ENOENT || errno == ENOTDIR)) parent_fd = make_folders(parent_path);
  return parent_fd;
}

/* ---- attributes ---- */

static bool takes_xattr(const char *name) {
  /* Overlay's own attributes would redirect lookups of the merged tree; labels belong to this machine. */
  static const char *const refused[] = {"trusted.overlay.", "user.overlay.", "security.selinux", "security.apparmor", "security.ima", "security.evm"};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    if (starts_with(name, refused[i])) return false;
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

/* Owner first (it clears setuid bits and capabilities), then mode, attributes, time. */
static void set_metadata(int fd, const struct entry *entry, bool with_time) {
  if (!squash && fchown(fd, (uid_t)entry->uid, (gid_t)entry->gid) < 0) owner_failed(entry);
  if (fchmod(fd, entry->mode) < 0) fail_errno(entry->path, "chmod");
  if (entry->xattr_count > 0) set_xattrs(fd, entry);
  struct timespec both[2] = {entry->mtime, entry->mtime};
  if (with_time && futimens(fd, both) < 0) fail_errno(entry->path, "utimens");
}

static void set_metadata_at(int folder, const char *name, const struct entry *entry, bool with_mode) {
  if (!squash && fchownat(folder, name, (uid_t)entry->uid, (gid_t)entry->gid, AT_SYMLINK_NOFOLLOW) < 0) owner_failed(entry);
  if (with_mode && fchmodat(folder, name, entry->mode, 0) < 0) fail_errno(entry->path, "chmod");
  struct timespec both[2] = {entry->mtime, entry->mtime};
  if (utimensat(folder, name, both, AT_SYMLINK_NOFOLLOW) < 0) fail_errno(entry->path, "utimens");
}

/* ---- kinds of entries ---- */

static void write_bytes(int fd, struct entry *entry, uint64_t length) {
  while (length > 0) {
    const uint8_t *data;
    size_t have = stream_peek(&data);
    if (have == 0) fail("CORRUPT", entry->path, "archive ends inside a file");
    size_t take = have < length ? have : (size_t)length;
    if (tsc_write_all(fd, data, take) < 0) fail_errno(entry->path, "write");
    stream_consume(take);
    entry->left -= take;
    length -= take;
  }
}

static void extract_file(int folder, const char *name, struct entry *entry) {
  int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) fail_errno(entry->path, "open");
  if (entry->is_sparse) {
    for (size_t i = 0; i < entry->segment_count; i++) {
      if (lseek(fd, (off_t)entry->segments[i].offset, SEEK_SET) < 0) fail_errno(entry->path, "lseek");
      write_bytes(fd, entry, entry->segments[i].length);
    }
    if (ftruncate(fd, (off_t)entry->real_size) < 0) fail_errno(entry->path, "ftruncate");
  } else {
    write_bytes(fd, entry, entry->left);
  }
  set_metadata(fd, entry, true);
  if (close(fd) < 0) fail_errno(entry->path, "close");
}

static void keep_time(const char *path, struct timespec mtime) {
  size_t length = strlen(path) + 1;
  struct folder_time *t = malloc(sizeof *t + length);
  if (t == NULL) fail("ENOMEM", "", "out of memory");
  t->next = NULL;
  t->mtime = mtime;
  memcpy(t->path, path, length);
  if (last_time == NULL) first_time = t;
  else last_time->next = t;
  last_time = t;
}

static void extract_folder(int folder, const char *name, const char *path, const struct entry *entry, bool exists, bool opaque) {
  if (!exists && mkdirat(folder, name, 0700) < 0) fail_errno(entry->path, "mkdir");
  int fd = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd < 0) fail_errno(entry->path, "open");
  set_metadata(fd, entry, false);
  if (opaque) set_opaque(fd, entry->path);
  close(fd);
  keep_time(path, entry->mtime);
}

/* The target of a hard link is opened once and only that inode is linked. */
static void extract_hardlink(const char *path, const struct entry *entry) {
  char target[PATH_MAX];
  struct stat wanted, existing;
  const char *name, *target_name;
  clean(entry->link, target, "hard link target");
  if (*target == '\0') fail("CORRUPT", entry->path, "hard link to a folder");
  int folder = open_parent(target, &target_name, false);
  if (folder < 0 || fstatat(folder, target_name, &wanted, AT_SYMLINK_NOFOLLOW) < 0)
    fail("CORRUPT", entry->path, "hard link target %s is not in the layer", target);
  if (S_ISDIR(wanted.st_mode) || is_whiteout(&wanted)) fail("CORRUPT", entry->path, "hard link to a folder or whiteout");
  int source = openat(folder, target_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (source < 0) fail_errno(entry->path, "open");
  folder = open_parent(path, &name, true);
  if (folder < 0) fail_errno(entry->path, "open parent");
  if (fstatat(folder, name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
    if (existing.st_ino == wanted.st_ino && existing.st_dev == wanted.st_dev) {
      close(source);
      return;
    }
    remove_existing(folder, name, entry->path);
    folder = open_parent(path, &name, true);
    if (folder < 0) fail_errno(entry->path, "open parent");
  }
  if (linkat(source, "", folder, name, AT_EMPTY_PATH) < 0) {
    /* Needs CAP_DAC_READ_SEARCH in the initial namespace; by name otherwise (we are the only writer here). */
    const char *again;
    char text[PATH_MAX];
    int to = dup(folder);
    snprintf(text, sizeof text, "%s", name);
    int from = open_parent(target, &again, false);
    if (to < 0 || from < 0 || linkat(from, again, to, text, 0) < 0)
      fail(errno == ENOENT ? "CORRUPT" : strerrorname_np(errno), entry->path, "cannot link to %s: %s", target, strerror(errno));
    close(to);
  }
  close(source);
}

static void apply_removal(int folder, const char *name, const char *path) {
  struct tsc_removal removal = {.keep = made_has};
  int own = dup(folder);
  if (own < 0) fail_errno(path, "dup");
  forget_parent();
  if (tsc_remove_at(&removal, own, name) < 0) fail_errno(path, removal.failed_call);
  close(own);
}

/* `.wh.NAME` and device 0:0: hides NAME of the layers below; an entry of this layer itself wins. */
static void extract_whiteout(int folder, const char *name, const struct entry *entry) {
  struct stat st;
  if (whiteouts == WHITEOUTS_APPLY) {
    apply_removal(folder, name, entry->path);
    return;
  }
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(st.st_mode)) return;
    int fd = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd < 0) fail_errno(entry->path, "open");
    set_opaque(fd, entry->path);
    close(fd);
    return;
  }
  if (mknodat(folder, name, S_IFCHR, 0) < 0) fail_errno(entry->path, "mknod (whiteout)");
  set_metadata_at(folder, name, entry, false);
}

static void extract_opaque(int folder, const struct entry *entry) {
  int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_errno(entry->path, "open");
  if (whiteouts == WHITEOUTS_APPLY) {
    struct tsc_removal removal = {.keep = made_has};
    forget_parent();
    if (tsc_empty_folder(&removal, fd) < 0) fail_errno(entry->path, removal.failed_call);
    return;
  }
  set_opaque(fd, entry->path);
  close(fd);
}

static void extract_node(int folder, const char *name, const struct entry *entry) {
  mode_t kind = entry->type == '3' ? S_IFCHR : entry->type == '4' ? S_IFBLK : S_IFIFO;
  dev_t device = kind == S_IFIFO ? 0 : makedev(entry->major, entry->minor);
  if (mknodat(folder, name, kind | 0600, device) < 0) {
    /* No device nodes in a user namespace; /dev is mounted over anyway. */
    if (errno == EPERM && kind != S_IFIFO) return;
    fail_errno(entry->path, "mknod");
  }
  set_metadata_at(folder, name, entry, true);
}

/* ---- public ---- */

void extract_start(enum whiteouts mode, bool squash_owners) {
  whiteouts = mode;
  squash = squash_owners;
  opaque_name = mode == WHITEOUTS_USER ? "user.overlay.opaque" : "trusted.overlay.opaque";
  root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) fail_errno("/", "open");
}

void extract_entry(struct entry *entry) {
  char path[PATH_MAX];
  const char *name;
  struct stat st;
  clean(entry->path, path, "path");
  if (*path == '\0') {
    if (entry->type != '5') fail("CORRUPT", entry->path, "the root of the layer is not a folder");
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) fail_errno("/", "open");
    set_metadata(fd, entry, false);
    close(fd);
    keep_time("", entry->mtime);
    return;
  }
  if (has_whiteout_folder(path, entry->path)) return;
  if (strchr("0123456", entry->type) == NULL) fail("CORRUPT", entry->path, "unknown entry type '%c'", entry->type >= ' ' && entry->type < 127 ? entry->type : '?');

  const char *last = strrchr(path, '/');
  last = last == NULL ? path : last + 1;
  bool hides = starts_with(last, WHITEOUT);
  if (hides && starts_with(last, WHITEOUT_META) && strcmp(last, WHITEOUT_OPAQUE) != 0) return;
  if (hides && strcmp(last, WHITEOUT_OPAQUE) != 0) {
    const char *hidden = last + strlen(WHITEOUT);
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
      fail("HOSTILE", entry->path, "whiteout without a name");
  }
  int folder = open_parent(path, &name, !hides || whiteouts != WHITEOUTS_APPLY);
  if (folder < 0) {
    /* The folder of a whiteout is hidden or missing itself: nothing is left to hide. */
    if (hides && (errno == ENOTDIR || errno == ENOENT)) return;
    if (errno == ENOTDIR || errno == ELOOP) fail("CORRUPT", entry->path, "a parent of the entry is not a folder");
    fail_errno(entry->path, "open parent");
  }
  if (hides) {
    if (strcmp(name, WHITEOUT_OPAQUE) == 0) extract_opaque(folder, entry);
    else extract_whiteout(folder, name + strlen(WHITEOUT), entry);
    return;
  }
  if (entry->type == '3' && entry->major == 0 && entry->minor == 0) {
    extract_whiteout(folder, name, entry);
    return;
  }
  if (entry->type == '1') {
    extract_hardlink(path, entry);
    folder = open_parent(path, &name, false);
    if (folder >= 0) note_made(folder, name);
    return;
  }
  bool exists = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0, opaque = false;
  if (exists && !(entry->type == '5' && S_ISDIR(st.st_mode))) {
    opaque = is_whiteout(&st);
    remove_existing(folder, name, entry->path);
    folder = open_parent(path, &name, true);
    if (folder < 0) fail_errno(entry->path, "open parent");
    exists = false;
  }
  switch (entry->type) {
    case '0':
      extract_file(folder, name, entry);
      break;
    case '2':
      if (*entry->link == '\0' || strlen(entry->link) >= PATH_MAX) fail("CORRUPT", entry->path, "symbolic link with a bad target");
      if (symlinkat(entry->link, folder, name) < 0) fail_errno(entry->path, "symlink");
      set_metadata_at(folder, name, entry, false);
      break;
    case '5':
      extract_folder(folder, name, path, entry, exists, opaque);
      break;
    default:
      extract_node(folder, name, entry);
      break;
  }
  if (whiteouts == WHITEOUTS_APPLY) note_made(folder, name);
}

void extract_finish(void) {
  forget_parent();
  /* In the archive's order: of two entries for one folder the later time stays. */
  for (struct folder_time *t = first_time, *next; t != NULL; t = next) {
    int fd = tsc_openat2(root, *t->path == '\0' ? "." : t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    /* A later entry may have taken the folder's place; entries reached through links keep the time of their making. */
    struct timespec both[2] = {t->mtime, t->mtime};
    if (fd >= 0) {
      if (futimens(fd, both) < 0) fail_errno(t->path, "utimens");
      close(fd);
    }
    next = t->next;
    free(t);
  }
  free(made);
}
