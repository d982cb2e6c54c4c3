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
#include <unistd.h>

#include "common.h"
#include "extract.h"
#include "remove.h"

struct folder_time {
  struct folder_time *next;
  struct timespec mtime;
  char path[];
};

static enum whiteouts whiteouts;
static struct folder_time *first_time, *last_time;

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
  attributes_set(fd, entry, true);
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
  attributes_set(fd, entry, false);
  if (opaque) folder_set_opaque(fd, entry->path);
  close(fd);
  keep_time(path, entry->mtime);
}

/* The target of a hard link is opened once and only that inode is linked. */
static void extract_hardlink(const char *path, const struct entry *entry) {
  char target[PATH_MAX];
  struct stat wanted, existing;
  const char *name, *target_name;
  name_clean(entry->link, target, "hard link target");
  if (*target == '\0') fail("CORRUPT", entry->path, "hard link to a folder");
  int folder = folder_of(target, &target_name, false);
  if (folder < 0 || fstatat(folder, target_name, &wanted, AT_SYMLINK_NOFOLLOW) < 0)
    fail("CORRUPT", entry->path, "hard link target %s is not in the layer", target);
  if (S_ISDIR(wanted.st_mode) || folder_is_whiteout(&wanted)) fail("CORRUPT", entry->path, "hard link to a folder or whiteout");
  int source = openat(folder, target_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (source < 0) fail_errno(entry->path, "open");
  folder = folder_of(path, &name, true);
  if (folder < 0) fail_errno(entry->path, "open parent");
  if (fstatat(folder, name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
    if (existing.st_ino == wanted.st_ino && existing.st_dev == wanted.st_dev) {
      close(source);
      return;
    }
    folder_remove(folder, name, entry->path, false);
    folder = folder_of(path, &name, true);
    if (folder < 0) fail_errno(entry->path, "open parent");
  }
  if (linkat(source, "", folder, name, AT_EMPTY_PATH) < 0) {
    /* Needs CAP_DAC_READ_SEARCH in the initial namespace; by name otherwise (we are the only writer here). */
    const char *again;
    char text[PATH_MAX];
    int to = dup(folder);
    snprintf(text, sizeof text, "%s", name);
    int from = folder_of(target, &again, false);
    if (to < 0 || from < 0 || linkat(from, again, to, text, 0) < 0)
      fail(errno == ENOENT ? "CORRUPT" : strerrorname_np(errno), entry->path, "cannot link to %s: %s", target, strerror(errno));
    close(to);
  }
  close(source);
}

/* `.wh.NAME` and device 0:0: hides NAME of the layers below; an entry of this layer itself wins. */
static void extract_whiteout(int folder, const char *name, const struct entry *entry) {
  struct stat st;
  if (whiteouts == WHITEOUTS_APPLY) {
    folder_remove(folder, name, entry->path, true);
    return;
  }
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(st.st_mode)) return;
    int fd = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd < 0) fail_errno(entry->path, "open");
    folder_set_opaque(fd, entry->path);
    close(fd);
    return;
  }
  if (mknodat(folder, name, S_IFCHR, 0) < 0) fail_errno(entry->path, "mknod (whiteout)");
  attributes_set_at(folder, name, entry, false);
}

static void extract_opaque(int folder, const struct entry *entry) {
  int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_errno(entry->path, "open");
  if (whiteouts == WHITEOUTS_APPLY) {
    struct tsc_removal removal = {.keep = made_has};
    folder_forget();
    if (tsc_empty_folder(&removal, fd) < 0) fail_errno(entry->path, removal.failed_call);
    return;
  }
  folder_set_opaque(fd, entry->path);
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
  attributes_set_at(folder, name, entry, true);
}

/* ---- public ---- */

void extract_start(enum whiteouts mode, bool squash_owners) {
  whiteouts = mode;
  made_begin(mode == WHITEOUTS_APPLY);
  attributes_begin(squash_owners);
  folders_begin(mode);
}

void extract_entry(struct entry *entry) {
  char path[PATH_MAX];
  const char *name;
  struct stat st;
  name_clean(entry->path, path, "path");
  if (*path == '\0') {
    if (entry->type != '5') fail("CORRUPT", entry->path, "the root of the layer is not a folder");
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) fail_errno("/", "open");
    attributes_set(fd, entry, false);
    close(fd);
    keep_time("", entry->mtime);
    return;
  }
  if (name_has_whiteout_folder(path, entry->path)) return;
  if (strchr("0123456", entry->type) == NULL) fail("CORRUPT", entry->path, "unknown entry type '%c'", entry->type >= ' ' && entry->type < 127 ? entry->type : '?');

  const char *last = strrchr(path, '/');
  last = last == NULL ? path : last + 1;
  bool hides = name_starts_with(last, WHITEOUT);
  if (hides && name_starts_with(last, WHITEOUT_META) && strcmp(last, WHITEOUT_OPAQUE) != 0) return;
  if (hides && strcmp(last, WHITEOUT_OPAQUE) != 0) {
    const char *hidden = last + strlen(WHITEOUT);
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
      fail("HOSTILE", entry->path, "whiteout without a name");
  }
  int folder = folder_of(path, &name, !hides || whiteouts != WHITEOUTS_APPLY);
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
    folder = folder_of(path, &name, false);
    if (folder >= 0) made_note(folder, name);
    return;
  }
  bool exists = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0, opaque = false;
  if (exists && !(entry->type == '5' && S_ISDIR(st.st_mode))) {
    opaque = folder_is_whiteout(&st);
    folder_remove(folder, name, entry->path, false);
    folder = folder_of(path, &name, true);
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
      attributes_set_at(folder, name, entry, false);
      break;
    case '5':
      extract_folder(folder, name, path, entry, exists, opaque);
      break;
    default:
      extract_node(folder, name, entry);
      break;
  }
  if (whiteouts == WHITEOUTS_APPLY) made_note(folder, name);
}

void extract_finish(void) {
  folder_forget();
  /* In the archive's order: of two entries for one folder the later time stays. */
  for (struct folder_time *t = first_time, *next; t != NULL; t = next) {
    int fd = folder_open_plain(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A later entry may have taken the folder's place; entries reached through links keep the time of their making. */
    struct timespec both[2] = {t->mtime, t->mtime};
    if (fd >= 0) {
      if (futimens(fd, both) < 0) fail_errno(t->path, "utimens");
      close(fd);
    }
    next = t->next;
    free(t);
  }
  made_end();
}
