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

#include "common.h"

#define BLOCK 512
#define OCTAL_MAX_ID 07777777
#define OCTAL_MAX_SIZE 077777777777LL

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
static char buffer[256 * 1024];
static size_t buffered;

static _Noreturn void die(const char *path, const char *what) {
  fprintf(stderr, "tsc-pack: %s: %s: %s\n", path, what, strerror(errno));
  exit(1);
}

static void flush_out(void) {
  if (tsc_write_all(1, buffer, buffered) < 0) die("stdout", "write");
  buffered = 0;
}

static void out(const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    size_t room = sizeof buffer - buffered, take = length < room ? length : room;
    memcpy(buffer + buffered, at, take);
    buffered += take;
    at += take;
    length -= take;
    if (buffered == sizeof buffer) flush_out();
  }
}

static void pad(unsigned long long size) {
  static const char zeros[BLOCK];
  out(zeros, (BLOCK - size % BLOCK) % BLOCK);
}

/* ---- headers ---- */

static void octal(char *field, size_t size, unsigned long long value) {
  field[size - 1] = '\0';
  for (size_t i = size - 1; i > 0; i--, value >>= 3) field[i - 1] = (char)('0' + (value & 7));
}

static void header(char type, const char *name, const char *link, const struct stat *st, unsigned long long size) {
  union {
    char bytes[BLOCK];
    struct {
      char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2], uname[32], gname[32],
          major[8], minor[8], prefix[155];
    } f;
  } h = {.bytes = {0}};
  size_t name_length = strnlen(name, sizeof h.f.name), link_length = strnlen(link, sizeof h.f.link);
  memcpy(h.f.name, name, name_length);
  memcpy(h.f.link, link, link_length);
  octal(h.f.mode, sizeof h.f.mode, st->st_mode & 07777);
  octal(h.f.uid, sizeof h.f.uid, st->st_uid > OCTAL_MAX_ID ? 0 : st->st_uid);
  octal(h.f.gid, sizeof h.f.gid, st->st_gid > OCTAL_MAX_ID ? 0 : st->st_gid);
  octal(h.f.size, sizeof h.f.size, size > OCTAL_MAX_SIZE ? 0 : size);
  octal(h.f.mtime, sizeof h.f.mtime, st->st_mtime < 0 || st->st_mtime > OCTAL_MAX_SIZE ? 0 : (unsigned long long)st->st_mtime);
  h.f.type = type;
  memcpy(h.f.magic, "ustar", 6);
  memcpy(h.f.version, "00", 2);
  octal(h.f.major, sizeof h.f.major, type == '3' || type == '4' ? major(st->st_rdev) & OCTAL_MAX_ID : 0);
  octal(h.f.minor, sizeof h.f.minor, type == '3' || type == '4' ? minor(st->st_rdev) & OCTAL_MAX_ID : 0);
  memset(h.f.sum, ' ', sizeof h.f.sum);
  unsigned sum = 0;
  for (int i = 0; i < BLOCK; i++) sum += (unsigned char)h.bytes[i];
  octal(h.f.sum, 7, sum);
  h.f.sum[7] = ' ';
  out(h.bytes, BLOCK);
}

/* "LENGTH key=value\n", where the length counts its own digits. */
static void pax_add(struct tsc_text *pax, const char *key, const char *value, size_t length) {
  size_t rest = strlen(key) + length + 3, total = rest + 1;
  for (;;) {
    size_t digits = (size_t)snprintf(NULL, 0, "%zu", total);
    if (rest + digits == total) break;
    total = rest + digits;
  }
  tsc_text_addf(pax, "%zu %s=", total, key);
  tsc_text_add(pax, value, length);
  tsc_text_add(pax, "\n", 1);
}

static void pax_number(struct tsc_text *pax, const char *key, long long value) {
  char text[32];
  pax_add(pax, key, text, (size_t)snprintf(text, sizeof text, "%lld", value));
}

static bool needs_pax(const char *name) {
  if (strlen(name) > 100) return true;
  for (; *name != '\0'; name++)
    if ((unsigned char)*name >= 0x80) return true;
  return false;
}

static void entry(char type, const char *name, const char *link, const struct stat *st, unsigned long long size, struct tsc_text *pax) {
  if (needs_pax(name)) pax_add(pax, "path", name, strlen(name));
  if (needs_pax(link)) pax_add(pax, "linkpath", link, strlen(link));
  if (st->st_uid > OCTAL_MAX_ID) pax_number(pax, "uid", st->st_uid);
  if (st->st_gid > OCTAL_MAX_ID) pax_number(pax, "gid", st->st_gid);
  if (size > OCTAL_MAX_SIZE) pax_number(pax, "size", (long long)size);
  if (st->st_mtime < 0 || st->st_mtime > OCTAL_MAX_SIZE) pax_number(pax, "mtime", st->st_mtime);
  if (pax->failed) {
    errno = ENOMEM;
    die(name, "pax header");
  }
  if (pax->length > 0) {
    struct stat plain = {.st_mode = 0644};
    header('x', "PaxHeaders.0/entry", "", &plain, pax->length);
    out(pax->data, pax->length);
    pad(pax->length);
  }
  header(type, name, link, st, size);
}

/* ---- attributes ---- */

static bool has_xattr(int fd, const char *name, char wanted) {
  char value[8];
  ssize_t n = fgetxattr(fd, name, value, sizeof value);
  return n >= 0 && (wanted == '\0' || (n == 1 && value[0] == wanted));
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void add_xattrs(int fd, const char *path, struct tsc_text *pax) {
  char list[65536], value[65536], key[300], *names[1024];
  size_t count = 0;
  ssize_t length = flistxattr(fd, list, sizeof list);
  if (length < 0) {
    if (errno == ENOTSUP || errno == EPERM) return;
    die(path, "listxattr");
  }
  for (char *at = list; at < list + length && count < 1024; at += strlen(at) + 1) names[count++] = at;
  qsort(names, count, sizeof *names, compare_names);
  for (size_t i = 0; i < count; i++) {
    const char *name = names[i];
    if (strncmp(name, "trusted.overlay.", 16) == 0 || strncmp(name, "user.overlay.", 13) == 0 ||
        strncmp(name, "security.selinux", 16) == 0)
      continue;
    ssize_t n = fgetxattr(fd, name, value, sizeof value);
    if (n < 0) {
      if (errno == ENODATA || errno == EPERM || errno == ENOTSUP) continue;
      die(path, "getxattr");
    }
    snprintf(key, sizeof key, "SCHILY.xattr.%s", name);
    pax_add(pax, key, value, (size_t)n);
  }
}

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
  static const char end[2 * BLOCK];
  out(end, sizeof end);
  flush_out();
  return 0;
}
