/* POSIX.1-2001 pax records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tar.h"

static struct xattr *xattrs;
static size_t xattr_count, xattr_room;

void pax_begin(void) { xattr_count = 0; }

struct xattr *pax_xattrs(size_t *count) {
  *count = xattr_count;
  return xattrs;
}

static int64_t decimal(const char *text, const char *what) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0) fail("CORRUPT", "", "pax %s is not a number", what);
  return value;
}

static struct timespec pax_time(const char *text) {
  struct timespec time = {0};
  char *end;
  errno = 0;
  long long seconds = strtoll(text, &end, 10);
  if (end == text || errno != 0) fail("CORRUPT", "", "pax mtime is not a number");
  if (*end == '.') {
    long scale = 100000000;
    for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10) time.tv_nsec += (*end - '0') * scale;
  }
  if (*end != '\0') fail("CORRUPT", "", "pax mtime is not a number");
  time.tv_sec = seconds;
  if (text[0] == '-' && time.tv_nsec > 0) {
    time.tv_sec--;
    time.tv_nsec = 1000000000 - time.tv_nsec;
  }
  return time;
}

static void add_xattr(char *name, char *value, size_t length) {
  if (xattr_count == xattr_room) {
    xattr_room = xattr_room == 0 ? 8 : xattr_room * 2;
    struct xattr *bigger = realloc(xattrs, xattr_room * sizeof *xattrs);
    if (bigger == NULL) fail("ENOMEM", "", "out of memory");
    xattrs = bigger;
  }
  xattrs[xattr_count++] = (struct xattr){name, value, length};
}

static const char *text_value(char *value, size_t length, const char *key) {
  /* Another reader would see a shorter name than this one. */
  if (memchr(value, '\0', length) != NULL) fail("CORRUPT", "", "pax %s holds a NUL byte", key);
  return value;
}

static void pax_record(struct pax *pax, char *key, char *value, size_t length) {
  static const char prefix[] = "SCHILY.xattr.";
  static uint64_t sparse_offset;
  if (strncmp(key, prefix, sizeof prefix - 1) == 0) {
    add_xattr(key + sizeof prefix - 1, value, length);
    return;
  }
  text_value(value, length, key);
  if (strcmp(key, "path") == 0) pax->path = value;
  else if (strcmp(key, "linkpath") == 0) pax->link = value;
  else if (strcmp(key, "size") == 0) pax->size = field_size(decimal(value, key), key), pax->has_size = true;
  else if (strcmp(key, "uid") == 0) pax->uid = decimal(value, key), pax->has_uid = true;
  else if (strcmp(key, "gid") == 0) pax->gid = decimal(value, key), pax->has_gid = true;
  else if (strcmp(key, "mtime") == 0) pax->mtime = pax_time(value), pax->has_mtime = true;
  else if (strcmp(key, "GNU.sparse.name") == 0) pax->sparse_name = value;
  else if (strcmp(key, "GNU.sparse.major") == 0) pax->sparse_major = (int)decimal(value, key);
  else if (strcmp(key, "GNU.sparse.minor") == 0) pax->sparse_minor = (int)decimal(value, key);
  else if (strcmp(key, "GNU.sparse.realsize") == 0 || strcmp(key, "GNU.sparse.size") == 0)
    pax->real_size = field_size(decimal(value, key), key), pax->has_real_size = true;
  else if (strcmp(key, "GNU.sparse.map") == 0) pax->sparse_map = value;
  else if (strcmp(key, "GNU.sparse.offset") == 0) sparse_offset = field_size(decimal(value, key), key);
  else if (strcmp(key, "GNU.sparse.numbytes") == 0) sparse_add(sparse_offset, field_size(decimal(value, key), key));
}

/* Records are "LENGTH key=value\n"; the length counts all of it. */
void pax_parse(struct pax *pax, char *text, size_t total) {
  for (size_t used = 0; used < total;) {
    char *record = text + used, *space;
    errno = 0;
    unsigned long long length = record[0] >= '0' && record[0] <= '9' ? strtoull(record, &space, 10) : 0;
    if (length == 0 || errno != 0 || *space != ' ' || length > total - used || record + length <= space + 1 ||
        record[length - 1] != '\n')
      fail("CORRUPT", "", "malformed pax header");
    char *end = record + length - 1, *key = space + 1;
    char *equals = memchr(key, '=', (size_t)(end - key));
    if (equals == NULL || equals == key) fail("CORRUPT", "", "malformed pax record");
    *equals = *end = '\0';
    if (strlen(key) != (size_t)(equals - key)) fail("CORRUPT", "", "malformed pax record");
    pax_record(pax, key, equals + 1, (size_t)(end - equals - 1));
    used += length;
  }
}
