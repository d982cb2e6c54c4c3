/*
 * tsc-pack: a folder as a tar archive on stdout, in one fixed order.
 *
 *   tsc-pack --source DIR [--overlay] [-- PATH…]
 *
 * With --overlay the folder is an overlay upper: whiteouts and opaque marks become `.wh.` files and overlay's own
 * attributes are left out. PATHs (relative) select subtrees; the folders above them come along without their
 * other content. Times are whole seconds, names sorted by bytes, no user names: same content, same bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive.h"


struct link {
  struct link *next;
  dev_t dev;
  ino_t ino;
  char *path;
};

static bool is_overlay;
static char **selected;
static int selected_count;
static bool *selected_seen;
static struct link *links[4096];

/* ---- selection ---- */

enum wanted { NO, ABOVE, YES };

/* ABOVE: a folder on the way to a selected path. */
static enum wanted wanted(const char *path) {
  if (selected_count == 0) return YES;
  size_t length = strlen(path);
  enum wanted result = NO;
  for (int i = 0; i < selected_count; i++) {
    size_t other = strlen(selected[i]);
    if (strncmp(path, selected[i], other) == 0 && (path[other] == '\0' || path[other] == '/' || other == 0)) {
      selected_seen[i] = true;
      return YES;
    }
    if (strncmp(path, selected[i], length) == 0 && selected[i][length] == '/') result = ABOVE;
  }
  return result;
}

/* ---- the walk ---- */

/* The first path of an inode with several names, or NULL after noting this one. */
static const char *first_path(const struct stat *st, const char *path) {
  struct link **slot = &links[(st->st_ino ^ st->st_dev) % (sizeof links / sizeof links[0])];
  for (struct link *l = *slot; l != NULL; l = l->next)
    if (l->ino == st->st_ino && l->dev == st->st_dev) return l->path;
  struct link *l = malloc(sizeof *l);
  if (l == NULL || (l->path = strdup(path)) == NULL) die(path, "memory");
  l->dev = st->st_dev;
  l->ino = st->st_ino;
  l->next = *slot;
  *slot = l;
  return NULL;
}

static void pack_file(int folder, const char *name, const char *path, struct stat *st) {
  struct tsc_text pax = {0};
  static char data[128 * 1024];
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) die(path, "open");
  /* Looked at again: the folder may belong to a running container. */
  if (fstat(fd, st) < 0) die(path, "stat");
  if (!S_ISREG(st->st_mode)) {
    close(fd);
    return;
  }
  add_xattrs(fd, path, &pax);
  unsigned long long left = (unsigned long long)st->st_size;
  entry('0', path, "", st, left, &pax);
  tsc_text_free(&pax);
  while (left > 0) {
    ssize_t n = read(fd, data, left < sizeof data ? (size_t)left : sizeof data);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die(path, "read");
    if (n == 0) {
      /* It shrank under us: the header has promised its size. */
      fprintf(stderr, "tsc-pack: %s: file shrank while it was read\n", path);
      memset(data, 0, sizeof data);
      for (; left > 0; left -= (unsigned long long)n) {
        n = (ssize_t)(left < sizeof data ? left : sizeof data);
        out(data, (size_t)n);
      }
      break;
    }
    out(data, (size_t)n);
    left -= (unsigned long long)n;
  }
  close(fd);
  pad((unsigned long long)st->st_size);
}

static void pack_whiteout(const char *path, const struct stat *st) {
  char hidden[PATH_MAX + 8];
  const char *slash = strrchr(path, '/');
  int head = slash == NULL ? 0 : (int)(slash - path + 1);
  struct stat plain = {.st_mode = 0600, .st_mtime = st->st_mtime};
  struct tsc_text pax = {0};
  snprintf(hidden, sizeof hidden, "%.*s.wh.%s", head, path, path + head);
  entry('0', hidden, "", &plain, 0, &pax);
  tsc_text_free(&pax);
}

static void pack_folder(int fd, const char *path);

static void pack_entry(int folder, const char *name, const char *path) {
  struct stat st;
  struct tsc_text pax = {0};
  char text[PATH_MAX + 8];
  enum wanted want = wanted(path);
  if (want == NO) return;
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return;
    die(path, "stat");
  }
  if (is_overlay && strncmp(name, ".wh.", 4) == 0) {
    fprintf(stderr, "tsc-pack: %s: left out: a layer cannot hold names that start with .wh.\n", path);
    return;
  }
  if (S_ISDIR(st.st_mode)) {
    int fd = tsc_openat2(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (fd < 0 && errno != EXDEV) die(path, "open");
    if (fd >= 0) add_xattrs(fd, path, &pax);
    snprintf(text, sizeof text, "%s/", path);
    entry('5', text, "", &st, 0, &pax);
    tsc_text_free(&pax);
    /* A mount: its content belongs to another place. */
    if (fd < 0) return;
    if (is_overlay && (has_xattr(fd, "trusted.overlay.opaque", 'y') || has_xattr(fd, "user.overlay.opaque", 'y'))) {
      struct stat plain = {.st_mode = 0600, .st_mtime = st.st_mtime};
      snprintf(text, sizeof text, "%s/.wh..wh..opq", path);
      entry('0', text, "", &plain, 0, &pax);
      tsc_text_free(&pax);
    }
    pack_folder(fd, path);
    return;
  }
  if (want == ABOVE) return;
  if (is_overlay && S_ISCHR(st.st_mode) && st.st_rdev == 0) {
    pack_whiteout(path, &st);
    return;
  }
  if (S_ISSOCK(st.st_mode)) return;
  if (st.st_nlink > 1) {
    const char *first = first_path(&st, path);
    if (first != NULL) {
      entry('1', path, first, &st, 0, &pax);
      tsc_text_free(&pax);
      return;
    }
  }
  if (S_ISREG(st.st_mode)) {
    pack_file(folder, name, path, &st);
  } else if (S_ISLNK(st.st_mode)) {
    ssize_t n = readlinkat(folder, name, text, PATH_MAX - 1);
    if (n < 0) die(path, "readlink");
    text[n] = '\0';
    st.st_mode = S_IFLNK | 0777;
    entry('2', path, text, &st, 0, &pax);
  } else {
    entry(S_ISCHR(st.st_mode) ? '3' : S_ISBLK(st.st_mode) ? '4' : '6', path, "", &st, 0, &pax);
  }
  tsc_text_free(&pax);
}

/* Sorted, so that equal folders give equal archives. Closes fd. */
static void pack_folder(int fd, const char *path) {
  DIR *folder = fdopendir(fd);
  char **names = NULL, *child = malloc(PATH_MAX);
  size_t count = 0, room = 0;
  struct dirent *item;
  if (folder == NULL || child == NULL) die(path, "opendir");
  while ((errno = 0, item = readdir(folder)) != NULL) {
    if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
    if (count == room) {
      room = room == 0 ? 64 : room * 2;
      char **bigger = realloc(names, room * sizeof *names);
      if (bigger == NULL) die(path, "memory");
      names = bigger;
    }
    char *name = strdup(item->d_name);
    if (name == NULL) die(path, "memory");
    names[count++] = name;
  }
  if (errno != 0) die(path, "readdir");
  if (count > 0) qsort(names, count, sizeof *names, compare_names);
  for (size_t i = 0; i < count; i++) {
    if (snprintf(child, PATH_MAX, "%s%s%s", path, *path == '\0' ? "" : "/", names[i]) >= PATH_MAX) {
      errno = ENAMETOOLONG;
      die(path, "path");
    }
    pack_entry(dirfd(folder), names[i], child);
    free(names[i]);
  }
  free(names);
  free(child);
  closedir(folder);
}

/* Cleans a selected path: no slashes around it, no dots in it. */
static void select_path(int index, char *path) {
  char *to = path;
  for (char *part = strtok(path, "/"); part != NULL; part = strtok(NULL, "/")) {
    if (strcmp(part, ".") == 0) continue;
    if (strcmp(part, "..") == 0) {
      fprintf(stderr, "tsc-pack: a path may not hold ..\n");
      exit(2);
    }
    size_t length = strlen(part);
    if (to != path) *to++ = '/';
    memmove(to, part, length);
    to += length;
  }
  *to = '\0';
  selected[index] = path;
}

int main(int argc, char **argv) {
  const char *source = NULL;
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--source") == 0 && i + 1 < argc) source = argv[++i];
    else if (strcmp(argv[i], "--overlay") == 0) is_overlay = true;
    else {
      source = NULL;
      break;
    }
  }
  if (source == NULL) {
    fputs("usage: tsc-pack --source DIR [--overlay] [-- PATH...]\n", stderr);
    return 2;
  }
  if (i < argc) {
    selected_count = argc - i - 1;
    selected = calloc((size_t)selected_count + 1, sizeof *selected);
    selected_seen = calloc((size_t)selected_count + 1, sizeof *selected_seen);
    if (selected == NULL || selected_seen == NULL) die("memory", "calloc");
    for (int s = 0; s < selected_count; s++) select_path(s, argv[i + 1 + s]);
    /* `--` without paths selects nothing. */
    if (selected_count == 0) selected_count = -1;
  }
  /* Opened before the rest is closed: it may be the name of a descriptor that we were given. */
  int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(source, "open");
  tsc_close_from(3, &fd, 1);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    /* One descriptor a level of depth. */
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (selected_count >= 0) pack_folder(fd, "");
  for (int s = 0; s < selected_count; s++) {
    if (selected_seen[s]) continue;
    errno = ENOENT;
    die(selected[s], "select");
  }
  archive_end();
  return 0;
}
