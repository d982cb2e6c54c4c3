/* Extended attributes of what is packed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "archive.h"

bool has_xattr(int fd, const char *name, char wanted) {
  char value[8];
  ssize_t n = fgetxattr(fd, name, value, sizeof value);
  return n >= 0 && (wanted == '\0' || (n == 1 && value[0] == wanted));
}

int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void add_xattrs(int fd, const char *path, struct tsc_text *pax) {
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
