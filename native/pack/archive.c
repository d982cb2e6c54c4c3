#include "archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define BLOCK 512
#define OCTAL_MAX_ID 07777777
#define OCTAL_MAX_SIZE 077777777777LL

static char buffer[256 * 1024];
static size_t buffered;

void die(const char *path, const char *what) {
  fprintf(stderr, "tsc-pack: %s: %s: %s\n", path, what, strerror(errno));
  exit(1);
}

static void flush_out(void) {
  if (tsc_write_all(1, buffer, buffered) < 0) die("stdout", "write");
  buffered = 0;
}

void out(const void *data, size_t length) {
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

void pad(unsigned long long size) {
  static const char zeros[BLOCK];
  out(zeros, (BLOCK - size % BLOCK) % BLOCK);
}

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

void pax_add(struct tsc_text *pax, const char *key, const char *value, size_t length) {
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

void entry(char type, const char *name, const char *link, const struct stat *st, unsigned long long size, struct tsc_text *pax) {
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

void archive_end(void) {
  static const char zeros[2 * BLOCK];
  out(zeros, sizeof zeros);
  flush_out();
}
