/* The tar reader of tsc-unpack over bytes in memory: every entry it gives is whole and consistent. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "../unpack/unpack.h"
#include "fuzz.h"
#include "tar-words.h"

static const uint8_t *bytes;
static size_t left;
static jmp_buf refused;

void fail(const char *code, const char *path, const char *format, ...) {
  if (code == NULL || path == NULL || format == NULL || strnlen(path, 1 << 21) >= 1 << 21) BROKEN();
  longjmp(refused, 1);
}

bool stream_read(void *out, size_t length) {
  if (left == 0) return false;
  if (length > left) fail("CORRUPT", "", "early end");
  memcpy(out, bytes, length);
  bytes += length;
  left -= length;
  return true;
}

void stream_skip(uint64_t length) {
  if (length > left) fail("CORRUPT", "", "early end");
  bytes += length;
  left -= (size_t)length;
}

void fuzz_one(const uint8_t *data, size_t size) {
  bytes = data;
  left = size;
  if (setjmp(refused) != 0) return;
  struct entry entry;
  while (tar_next(&entry)) {
    uint64_t carried = 0, end = 0;
    if (entry.path == NULL || entry.link == NULL || (entry.mode & ~07777u) != 0) BROKEN();
    if (entry.uid < 0 || entry.gid < 0 || entry.uid >= 0xffffffffLL || entry.gid >= 0xffffffffLL) BROKEN();
    for (size_t i = 0; entry.is_sparse && i < entry.segment_count; i++) {
      const struct segment *part = &entry.segments[i];
      if (part->offset < end || part->offset + part->length < part->offset) BROKEN();
      end = part->offset + part->length;
      carried += part->length;
    }
    if (entry.is_sparse && (end > entry.real_size || carried != entry.left)) BROKEN();
    /* reads every byte that the entry points to */
    volatile size_t seen = strlen(entry.path) + strlen(entry.link);
    for (size_t i = 0; i < entry.xattr_count; i++) {
      seen += strlen(entry.xattrs[i].name);
      for (size_t k = 0; k < entry.xattrs[i].length; k++) seen += (uint8_t)entry.xattrs[i].value[k];
    }
    tar_finish(&entry);
  }
}
